#include "copies.h"

// Copies with inputs of their own: all are simulated from the start.
namespace hrsnn {

namespace {

std::vector<double> directions;             // (D, n_cells)
std::vector<double> wanted;                 // per sample: is the state after it recorded?
std::vector<std::vector<double>> recorded;  // one per state
int64_t shown = 0, seen = 0;                // samples so far

} // namespace

void load_batch(const Scene &scene) {
    make_copies();
    scene.assign("recorded", wanted);
    recorded.resize(arrays.states.size());
    if (!arrays.x) return;
    scene.assign("projection.p", directions);
    if (static_cast<int64_t>(directions.size()) * copies != stimulus_columns * n_cells)
        fail("directions have the wrong size");
}

// x_i = sum_d p_di u_d in the order of d, as Brian sums.
double project() {
    const int64_t channels = stimulus_columns / copies;
    const double *u = stimulus_values + std::min(shown++, stimulus_rows - 1) * stimulus_columns;
    for (int64_t i = 0; i < n_cells; i++) {
        double *x = arrays.x + i * copies;
        std::fill(x, x + copies, 0.0);
        for (int64_t d = 0; d < channels; d++) {
            const double p = directions[d * n_cells + i];
            for (int64_t r = 0; r < copies; r++) x[r] += p * u[d * copies + r];
        }
    }
    return 0.0;
}

// Called before each sample is shown: the state is that after the sample before.
double record() {
    const int64_t sample = seen++ - 1;
    if (sample < 0 || sample >= static_cast<int64_t>(wanted.size()) || wanted[sample] == 0.0)
        return 0.0;
    for (size_t k = 0; k < recorded.size(); k++)
        recorded[k].insert(recorded[k].end(), arrays.states[k], arrays.states[k] + n_active);
    return 0.0;
}

void write_batch(Writer &writer) {
    for (size_t k = 0; k < recorded.size(); k++)
        writer.record("states." + arrays.state_names[k], 8, recorded[k].size(), recorded[k].data());
}

} // namespace hrsnn
