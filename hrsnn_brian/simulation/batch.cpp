#include "copies.h"

// Copies with inputs of their own: all are simulated from the start.
namespace hrsnn {

namespace {

constexpr int64_t NEURONS = 4, LANES = 8; // as many sums as fit in the registers of a core

// Directions of NEURONS neurons side by side; channels that none of them sees are left out.
struct Directions {
    std::vector<int64_t> start;   // first entry of every group of neurons
    std::vector<int32_t> channel; // per entry
    std::vector<double> p;        // (entries, NEURONS)
};

Directions directions;
std::vector<double> panels; // one sample, (copies/LANES, D, LANES), zeros behind the last copy
std::vector<double> wanted; // per sample: is the state after it recorded?
std::vector<std::vector<double>> recorded; // one per state
int64_t shown = 0, seen = 0;               // samples so far

Directions read_directions(const Scene &scene, int64_t channels) {
    Directions made;
    std::vector<double> p; // (n_cells, D)
    scene.assign("input_directions", p);
    if (static_cast<int64_t>(p.size()) != channels * n_cells) fail("directions have the wrong size");
    const int64_t room = (n_cells + NEURONS - 1) / NEURONS * channels;
    made.channel.reserve(room);
    made.p.reserve(room * NEURONS);
    for (int64_t first = 0; first < n_cells; first += NEURONS) {
        const int64_t count = std::min(NEURONS, n_cells - first);
        made.start.push_back(made.channel.size());
        for (int64_t d = 0; d < channels; d++) {
            double row[NEURONS] = {};
            for (int64_t i = 0; i < count; i++) row[i] = p[(first + i) * channels + d];
            if (std::all_of(row, row + NEURONS, [](double value) { return value == 0.0; })) continue;
            made.channel.push_back(d);
            made.p.insert(made.p.end(), row, row + NEURONS);
        }
    }
    made.start.push_back(made.channel.size());
    return made;
}

void fill_panels(const double *u, int64_t channels) {
    for (int64_t first = 0; first < copies; first += LANES)
        for (int64_t d = 0; d < channels; d++)
            std::copy_n(u + d * copies + first, std::min(LANES, copies - first),
                        &panels[first * channels + d * LANES]);
}

// Every sum in the order of d, as Brian sums; what runs side by side are neurons and copies.
void add_up(int64_t begin, int64_t end, const double *panel, double *sums) {
    double sum[NEURONS][LANES] = {};
    for (int64_t e = begin; e < end; e++) {
        const double *u = panel + directions.channel[e] * LANES, *p = &directions.p[e * NEURONS];
        for (int64_t i = 0; i < NEURONS; i++)
            for (int64_t r = 0; r < LANES; r++) sum[i][r] += p[i] * u[r];
    }
    std::memcpy(sums, sum, sizeof sum);
}

} // namespace

void load_batch(const Scene &scene) {
    make_copies();
    scene.assign("recorded", wanted);
    recorded.resize(arrays.states.size());
    for (std::vector<double> &values : recorded)
        values.reserve((wanted.size() - std::count(wanted.begin(), wanted.end(), 0.0)) * n_active);
    if (!arrays.x) return;
    const int64_t channels = stimulus_columns / copies;
    directions = read_directions(scene, channels);
    panels.assign((copies + LANES - 1) / LANES * LANES * channels, 0.0);
}

// x_i = sum_d p_di u_d.
double project() {
    const int64_t channels = stimulus_columns / copies;
    fill_panels(stimulus_values + std::min(shown++, stimulus_rows - 1) * stimulus_columns, channels);
    double sums[NEURONS * LANES];
    for (int64_t i = 0; i < n_cells; i += NEURONS)
        for (int64_t r = 0; r < copies; r += LANES) {
            const int64_t *entries = &directions.start[i / NEURONS];
            add_up(entries[0], entries[1], &panels[r * channels], sums);
            for (int64_t k = 0; k < std::min(NEURONS, n_cells - i); k++)
                std::copy_n(sums + k * LANES, std::min(LANES, copies - r),
                            arrays.x + (i + k) * copies + r);
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
