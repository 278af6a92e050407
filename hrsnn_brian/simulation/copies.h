// Perturbed copies of one network: propagation over one shared weight matrix, distances,
// renormalisation. State arrays are neuron-major: copy r of neuron i is entry i*copies + r; copy 0
// is the reference. Until the first perturbation all copies would be equal: only the reference is
// simulated, neuron i being entry i.
#ifndef HRSNN_COPIES_H
#define HRSNN_COPIES_H

#include "scene.h"

namespace hrsnn {

struct OwnArray {
    void *data;
    size_t item_size;
};

// Pointers into Brian's arrays, filled once in main.
struct CopyArrays {
    const int32_t *spikes;                // the spike list, its length in the last entry
    int64_t spikes_size;
    std::vector<double *> currents;       // I_syn, or I_e and I_i
    std::vector<const double *> taus;     // their time constants, per cell
    std::vector<double> signs;            // their effect on v
    const double *tau_m;
    double *v;
    double *remaining, *mobile, *since;     // null on the grid
    std::vector<OwnArray> own;            // all that a neuron's copies have of their own
};

extern CopyArrays arrays;

void load_copies(const Scene &scene);
double deliver();         // propagate the spikes of this step
double observe();         // at the end of each step: perturb, measure, renormalise when due
void write_copies(Writer &writer);

} // namespace hrsnn

#endif
