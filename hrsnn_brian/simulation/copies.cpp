#include "copies.h"

namespace hrsnn {

CopyArrays arrays;
int64_t n_cells = 0, copies = 1, present = 1;
double dt = 0.0;

namespace {

// Outgoing synapses of every cell, side by side.
struct Pathway {
    std::vector<int64_t> start;
    std::vector<int32_t> post;
    std::vector<double> w;
};

std::vector<Pathway> pathways;
std::vector<std::vector<int32_t>> travelling; // spikes of the last steps, as long as the delay

Pathway read_pathway(const Scene &scene, const std::string &name) {
    Pathway path;
    std::vector<int32_t> pre;
    scene.assign(name + "._synaptic_pre", pre);
    scene.assign(name + "._synaptic_post", path.post);
    scene.assign(name + ".w", path.w);
    if (pre.size() != path.post.size() || pre.size() != path.w.size())
        fail("'" + name + "' is inconsistent");
    path.start.assign(n_cells + 1, 0);
    for (size_t s = 0; s < pre.size(); s++) {
        if (pre[s] < 0 || pre[s] >= n_cells || path.post[s] < 0 || path.post[s] >= n_cells)
            fail("'" + name + "' connects a neuron that does not exist");
        if (s && pre[s] < pre[s - 1]) fail("'" + name + "' is not sorted");
        path.start[pre[s] + 1]++;
    }
    for (int64_t i = 0; i < n_cells; i++) path.start[i + 1] += path.start[i];
    return path;
}

template <size_t SIZE> void repeat_entries(void *array) {
    char *x = static_cast<char *>(array), entry[SIZE];
    for (int64_t i = n_cells - 1; i >= 0; i--) { // from behind: what is read is still unwritten
        std::memcpy(entry, x + i * SIZE, SIZE);
        for (int64_t r = 0; r < copies; r++)
            std::memcpy(x + (i * copies + r) * SIZE, entry, SIZE);
    }
}

// The spikes of one cell's copies in this step: which copies, and the ages of the spikes.
struct Volley {
    std::vector<int64_t> copy;
    std::vector<double> since, decay;
    double tau = 0.0; // that the decays are of

    void take(const int32_t *spikes, int64_t begin, int64_t end) {
        copy.clear();
        since.clear();
        tau = 0.0;
        for (int64_t e = begin; e < end; e++) {
            copy.push_back(spikes[e] % present);
            since.push_back(arrays.since ? arrays.since[spikes[e]] : 0.0);
        }
        decay.resize(copy.size());
    }

    // Decay of the current from each spike on; neighbouring targets often share their tau.
    void set_tau(double wanted) {
        if (wanted == tau) return;
        tau = wanted;
        for (size_t e = 0; e < since.size(); e++) decay[e] = std::exp(-since[e] / tau);
    }
};

void kick(const Pathway &path, size_t p, int64_t cell, Volley &volley) {
    double *current = arrays.currents[p];
    if (!arrays.since) {
        for (int64_t s = path.start[cell]; s < path.start[cell + 1]; s++)
            for (int64_t r : volley.copy) current[path.post[s] * present + r] += path.w[s];
        return;
    }
    for (int64_t s = path.start[cell]; s < path.start[cell + 1]; s++) {
        const int64_t post = path.post[s], first = post * present;
        const double w = path.w[s], tau = arrays.taus[p][post], tau_m = arrays.tau_m[post];
        volley.set_tau(tau);
        const double push = arrays.signs[p] * w, rates = 1.0 / tau_m + 1.0 / tau;
        for (size_t e = 0; e < volley.copy.size(); e++) {
            const int64_t target = first + volley.copy[e];
            const double since = volley.since[e], mobile = arrays.mobile[target];
            current[target] += w * volley.decay[e];
            if (arrays.remaining[target] > 0.0) continue;
            const double age = mobile >= 1.0 ? since : std::min(since, mobile * dt);
            arrays.v[target] += push * age / tau_m * (1.0 - age * rates / 2.0);
        }
    }
}

void propagate(const int32_t *spikes, int64_t n_spikes) {
    static Volley volley;
    for (int64_t k = 0; k < n_spikes;) {
        const int64_t cell = spikes[k] / present;
        int64_t end = k; // spikes of one cell's copies lie together
        while (end < n_spikes && spikes[end] / present == cell) end++;
        volley.take(spikes, k, end);
        for (size_t p = 0; p < pathways.size(); p++) kick(pathways[p], p, cell, volley);
        k = end;
    }
}

} // namespace

void load_copies(const Scene &scene) {
    copies = static_cast<int64_t>(scene.number("copies"));
    n_cells = n_active = static_cast<int64_t>(scene.number("n_cells"));
    dt = scene.number("dt");
    if (copies < 1 || n_cells * copies >= arrays.spikes_size) fail("too many copies");
    for (const std::string &name : arrays.pathways) pathways.push_back(read_pathway(scene, name));
    travelling.resize(static_cast<size_t>(scene.number("delay") / dt + 0.5));
}

void make_copies() {
    for (const OwnArray &array : arrays.own)
        switch (array.item_size) {
        case 1: repeat_entries<1>(array.data); break;
        case 4: repeat_entries<4>(array.data); break;
        case 8: repeat_entries<8>(array.data); break;
        default: fail("copies have an array of a size they cannot have");
        }
    present = copies;
    n_active = n_cells * copies;
}

double deliver() {
    static size_t oldest = 0;
    const int32_t *spikes = arrays.spikes;
    const int64_t n_spikes = spikes[arrays.spikes_size - 1];
    if (travelling.empty()) {
        propagate(spikes, n_spikes);
        return 0.0;
    }
    std::vector<int32_t> &arriving = travelling[oldest];
    propagate(arriving.data(), arriving.size());
    arriving.assign(spikes, spikes + n_spikes);
    oldest = (oldest + 1) % travelling.size();
    return 0.0;
}

} // namespace hrsnn
