// Copies of one network on one weight matrix. State arrays are neuron-major: copy r of neuron i is
// entry i*copies + r. copies.cpp propagates spikes; perturbation.cpp compares and renormalises
// copies of one input; batch.cpp shows copies inputs of their own and records their states.
#ifndef HRSNN_COPIES_H
#define HRSNN_COPIES_H

#include "scene.h"

#define HRSNN_INLINE __attribute__((always_inline))

namespace hrsnn {

struct OwnArray {
    void *data;
    size_t item_size;
};

// Pointers into Brian's arrays, filled once in main.
struct CopyArrays {
    const int32_t *spikes;                // the spike list, its length in the last entry
    int64_t spikes_size;
    std::vector<std::string> pathways;    // names of the synapses of each current
    std::vector<double *> currents;       // I_syn, or I_e and I_i
    std::vector<const double *> taus;     // their time constants, per cell
    std::vector<double> signs;            // their effect on v
    const double *tau_m;
    double *v;
    double *remaining, *mobile, *since;   // null on the grid
    std::vector<OwnArray> own;            // all that a neuron's copies have of their own
    double *x;                            // what the encoder of a batch sees; null if nothing
    std::vector<const double *> states;   // what a batch records
    std::vector<std::string> state_names;
};

extern CopyArrays arrays;
extern int64_t n_cells;
extern int64_t copies;
extern int64_t present; // 1 while only one copy is simulated, neuron i being entry i; else `copies`
extern double dt;

// update(index, cell) of every active neuron, cells[index] being its cell. Copies of a cell lie side
// by side, so that its constants are looked up once; compilers cannot know that no two arrays
// overlap. Where copies are few the loops take longer than what they save.
template <class Update>
HRSNN_INLINE inline void each_neuron(const Update &update, const int32_t *cells) {
    const int side_by_side = static_cast<int>(present), active = static_cast<int>(n_active);
    if (side_by_side < 8) {
        for (int k = 0; k < active; k++) update(k, cells[k]);
        return;
    }
    for (int first = 0, cell = 0; first < active; first += side_by_side, cell++)
#pragma GCC ivdep
        for (int k = first; k < first + side_by_side; k++) update(k, cell);
}

// The list of spikes: in order, every active neuron of which fires(index, cell). Then then(index) of
// each.
template <class Fires, class Then>
HRSNN_INLINE inline void each_spike(const Fires &fires, const Then &then, int32_t *spikes,
                                    long &count, const int32_t *cells) {
    constexpr int BLOCK = 16; // of which none may fire
    const int side_by_side = static_cast<int>(present), active = static_cast<int>(n_active);
    if (side_by_side < 8) {
        for (int k = 0; k < active; k++)
            if (fires(k, cells[k])) spikes[count++] = k;
    } else {
        for (int first = 0, cell = 0; first < active; first += side_by_side, cell++)
            for (int begin = first; begin < first + side_by_side; begin += BLOCK) {
                const int end = std::min(begin + BLOCK, first + side_by_side);
                int any = 0;
                for (int k = begin; k < end; k++) any |= fires(k, cell);
                if (!any) continue;
                for (int k = begin; k < end; k++) {
                    spikes[count] = k;
                    count += fires(k, cell);
                }
            }
    }
    for (long s = 0; s < count; s++) then(spikes[s]);
}

void load_copies(const Scene &scene);
void make_copies();       // from one copy to all
double deliver();         // propagate the spikes of this step

void load_perturbation(const Scene &scene);
double observe();         // at the end of each step: perturb, measure, renormalise when due
void write_perturbation(Writer &writer);

void load_batch(const Scene &scene);
double project();         // the stimulus of each copy on the neurons' directions
double record();          // the states after each sample that is asked for
void write_batch(Writer &writer);

} // namespace hrsnn

#endif
