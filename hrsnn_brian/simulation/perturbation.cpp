#include "copies.h"

#include <limits>

// Perturbed copies: copy 0 is the reference. Until the first perturbation all would be equal, and
// only the reference is simulated.
namespace hrsnn {

namespace {

enum Action { ORTHONORMALISE = 0, RESCALE = 1, RESTART = 2, WATCH = 3 };

int64_t step = 0, first_step = 0, interval = 1, due = 0, last_measured = 0;
double d0 = 0.0, postpone_above = 0.0;
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

} // namespace

void load_perturbation(const Scene &scene) {
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

void write_perturbation(Writer &writer) {
    const double delayed = static_cast<double>(postponed);
    writer.record("log_growth", 8, log_growth.size(), log_growth.data());
    writer.record("log_time", 8, log_time.size(), log_time.data());
    writer.record("snapshots", 8, snapshots.size(), snapshots.data());
    writer.record("postponed", 8, 1, &delayed);
}

} // namespace hrsnn
