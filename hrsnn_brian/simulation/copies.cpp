#include "copies.h"

#include <limits>

namespace hrsnn {

CopyArrays arrays;

namespace {

int64_t copies = 1;  // with the reference
int64_t present = 1; // 1 until the copies are made, then `copies`

enum Action { ORTHONORMALISE = 0, RESCALE = 1, RESTART = 2, WATCH = 3 };

struct Pathway {
    std::vector<int64_t> start;
    std::vector<int32_t> post;
    std::vector<double> w;
};

std::vector<Pathway> pathways;
int64_t n_cells = 0;
int64_t step = 0, first_step = 0, interval = 1, due = 0, last_measured = 0;
double d0 = 0.0, postpone_above = 0.0, dt = 0.0;
Action action = WATCH;
std::vector<double> directions; // (copies - 1, width), unit vectors in v, or in v and currents
int64_t width = 0;
std::vector<double> log_growth, log_time;
std::vector<double> snapshots; // states of the reference at the measurements, when watching
std::vector<double> difference; // (copies - 1, components * n_cells), one row per copy
int64_t postponed = 0;

std::vector<double *> components() {
    std::vector<double *> list{arrays.v};
    list.insert(list.end(), arrays.currents.begin(), arrays.currents.end());
    if (arrays.remaining) list.push_back(arrays.remaining);
    return list;
}

// A refractory time counts as the potential that the membrane time constant makes of it.
double weight(size_t component, size_t count, int64_t cell) {
    return arrays.remaining && component + 1 == count ? 1.0 / arrays.tau_m[cell] : 1.0;
}

void repeat_entries(const OwnArray &array) {
    char *x = static_cast<char *>(array.data);
    const size_t size = array.item_size;
    for (int64_t i = n_cells - 1; i >= 0; i--) // from behind: what is read is still unwritten
        for (int64_t r = copies - 1; r >= 0; r--)
            std::memmove(x + (i * copies + r) * size, x + i * size, size);
}

// From the reference alone to all copies.
void make_copies() {
    for (const OwnArray &array : arrays.own) repeat_entries(array);
    present = copies;
    n_active = n_cells * copies;
}

void perturb() {
    const auto list = components();
    for (int64_t i = 0; i < n_cells; i++)
        for (int64_t r = 1; r < copies; r++) {
            const int64_t here = i * copies + r, reference = i * copies;
            for (double *x : list) x[here] = x[reference];
            for (int64_t c = 0; c * n_cells < width; c++)
                list[c][here] += d0 * directions[(r - 1) * width + c * n_cells + i];
        }
}

void take_differences() {
    const auto list = components();
    const int64_t length = list.size() * n_cells;
    difference.resize((copies - 1) * length);
    for (size_t c = 0; c < list.size(); c++)
        for (int64_t i = 0; i < n_cells; i++) {
            const double *x = list[c] + i * copies;
            const double unit = weight(c, list.size(), i);
            for (int64_t r = 1; r < copies; r++)
                difference[(r - 1) * length + c * n_cells + i] = (x[r] - x[0]) * unit;
        }
}

void take_snapshot() {
    const auto list = components();
    for (size_t c = 0; c < list.size(); c++)
        for (int64_t i = 0; i < n_cells; i++)
            snapshots.push_back(list[c][i * copies] * weight(c, list.size(), i));
}

void put_back() {
    const auto list = components();
    const int64_t length = list.size() * n_cells;
    for (size_t c = 0; c < list.size(); c++)
        for (int64_t i = 0; i < n_cells; i++) {
            double *x = list[c] + i * copies;
            const double unit = weight(c, list.size(), i);
            const bool is_time = unit != 1.0 || (arrays.remaining && c + 1 == list.size());
            for (int64_t r = 1; r < copies; r++) {
                const double value = x[0] + d0 * difference[(r - 1) * length + c * n_cells + i] / unit;
                x[r] = is_time && value < 0.0 ? 0.0 : value;
            }
        }
}

double dot(const double *a, const double *b, int64_t n) {
    double sum = 0.0;
    for (int64_t k = 0; k < n; k++) sum += a[k] * b[k];
    return sum;
}

double norm(const double *a, int64_t n) { return std::sqrt(dot(a, a, n)); }

// Two-pass modified Gram-Schmidt on the rows; the growths are the diagonal of R.
void orthonormalise(int64_t length, std::vector<double> &growth) {
    for (int64_t j = 0; j < copies - 1; j++) {
        double *row = &difference[j * length];
        for (int pass = 0; pass < 2; pass++)
            for (int64_t other = 0; other < j; other++) {
                const double *q = &difference[other * length];
                const double overlap = dot(row, q, length);
                for (int64_t k = 0; k < length; k++) row[k] -= overlap * q[k];
            }
        growth[j] = norm(row, length);
        if (growth[j] > 0.0)
            for (int64_t k = 0; k < length; k++) row[k] /= growth[j];
    }
}

// A spike at the boundary that only one of two copies has fired yet: the next steps heal it.
bool straddles() {
    if (postpone_above <= 0.0) return false;
    for (int64_t i = 0; i < n_cells; i++)
        for (int64_t r = 1; r < copies; r++)
            if (std::fabs(arrays.v[i * copies + r] - arrays.v[i * copies]) > postpone_above)
                return true;
    return false;
}

void measure() {
    take_differences();
    const int64_t length = difference.size() / (copies - 1);
    std::vector<double> growth(copies - 1);
    if (action == ORTHONORMALISE)
        orthonormalise(length, growth);
    else
        for (int64_t j = 0; j < copies - 1; j++) {
            double *row = &difference[j * length];
            growth[j] = norm(row, length);
            if (action == RESCALE && growth[j] > 0.0)
                for (int64_t k = 0; k < length; k++) row[k] /= growth[j];
        }
    for (double g : growth)
        log_growth.push_back(g > 0.0 ? std::log(g / d0) : -std::numeric_limits<double>::infinity());
    if (action == WATCH) take_snapshot();
    log_time.push_back((step - last_measured) * dt);
    last_measured = step;
    if (action == ORTHONORMALISE || action == RESCALE) put_back();
    if (action == RESTART) perturb();
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
    for (int64_t s = path.start[cell]; s < path.start[cell + 1]; s++) {
        const int64_t post = path.post[s], first = post * present;
        const double w = path.w[s], tau = arrays.taus[p][post], tau_m = arrays.tau_m[post];
        if (!arrays.since) {
            for (int64_t r : volley.copy) current[first + r] += w;
            continue;
        }
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

} // namespace

void load_copies(const Scene &scene) {
    copies = static_cast<int64_t>(scene.number("copies"));
    n_cells = n_active = static_cast<int64_t>(scene.number("n_cells"));
    dt = scene.number("dt");
    first_step = static_cast<int64_t>(scene.number("first_step"));
    interval = static_cast<int64_t>(scene.number("interval_steps"));
    action = static_cast<Action>(static_cast<int>(scene.number("action")));
    d0 = scene.number("d0");
    postpone_above = scene.number("postpone_above");
    scene.assign("directions", directions);
    width = static_cast<int64_t>(scene.number("directions_width"));
    if (static_cast<int64_t>(directions.size()) != (copies - 1) * width ||
        (width != n_cells && width != n_cells * (1 + (int64_t)arrays.currents.size())))
        fail("directions have the wrong size");
    for (size_t p = 0; p < arrays.currents.size(); p++) {
        const std::string name = "pathway" + std::to_string(p);
        Pathway path;
        scene.assign(name + ".start", path.start);
        scene.assign(name + ".post", path.post);
        scene.assign(name + ".w", path.w);
        if (static_cast<int64_t>(path.start.size()) != n_cells + 1 ||
            path.start.back() != static_cast<int64_t>(path.post.size()) ||
            path.post.size() != path.w.size())
            fail("'" + name + "' is inconsistent");
        for (int32_t j : path.post)
            if (j < 0 || j >= n_cells) fail("'" + name + "' connects a neuron that does not exist");
        pathways.push_back(std::move(path));
    }
}

double deliver() {
    static Volley volley;
    const int32_t *spikes = arrays.spikes;
    const int64_t n_spikes = spikes[arrays.spikes_size - 1];
    for (int64_t k = 0; k < n_spikes;) {
        const int64_t cell = spikes[k] / present;
        int64_t end = k; // spikes of one cell's copies lie together
        while (end < n_spikes && spikes[end] / present == cell) end++;
        volley.take(spikes, k, end);
        for (size_t p = 0; p < pathways.size(); p++) kick(pathways[p], p, cell, volley);
        k = end;
    }
    return 0.0;
}

double observe() {
    step++;
    if (copies < 2 || step < first_step) return 0.0;
    if (step == first_step) {
        make_copies();
        perturb();
        last_measured = step;
        due = step + interval;
        return 0.0;
    }
    if (step < due) return 0.0;
    if (straddles() && step < due + 10) {
        postponed++;
        return 0.0;
    }
    measure();
    due += interval;
    return 0.0;
}

void write_copies(Writer &writer) {
    const double delayed = static_cast<double>(postponed);
    writer.record("log_growth", 8, log_growth.size(), log_growth.data());
    writer.record("log_time", 8, log_time.size(), log_time.data());
    writer.record("snapshots", 8, snapshots.size(), snapshots.data());
    writer.record("postponed", 8, 1, &delayed);
}

} // namespace hrsnn
