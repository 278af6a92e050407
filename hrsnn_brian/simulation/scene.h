// Run-time input and output of a compiled program: named arrays in one file each way.
// Record: int32 name length, name, int32 item size, int64 item count, data.
#ifndef HRSNN_SCENE_H
#define HRSNN_SCENE_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace hrsnn {

extern int64_t n_active;    // neurons simulated; the arrays have room for more
extern int64_t n_inputs;    // neurons of the encoder: fewer when neurons come in copies
extern const double *stimulus_values;
extern int64_t stimulus_rows, stimulus_columns;
extern const double *free_values;
extern double sample_dt;

[[noreturn]] void fail(const std::string &message);

struct Array {
    int32_t item_size;
    int64_t count;
    long offset; // of the data in the file
};

// Reads an array when it is asked for, into its place: none is held twice.
class Scene {
    std::FILE *file;
    std::map<std::string, Array> arrays;

    void read(const Array &array, void *target) const;

public:
    explicit Scene(const char *path);
    Scene(const Scene &) = delete;
    ~Scene() { std::fclose(file); }
    const Array &get(const std::string &name) const;
    double number(const std::string &name) const;

    // Fill the first entries of a fixed array; `exact` for a shared value or a dt.
    template <class T> void fill(const std::string &name, T *target, int64_t room, bool exact) const {
        const Array &a = get(name);
        if (a.item_size != sizeof(T) || a.count > room || (exact && a.count != room))
            fail("array '" + name + "' has " + std::to_string(a.count) + " items of " +
                 std::to_string(a.item_size) + " bytes where " + std::to_string(room) + " of " +
                 std::to_string(sizeof(T)) + " fit");
        read(a, target);
    }

    // Replace the content of a dynamic array.
    template <class T> void assign(const std::string &name, std::vector<T> &target) const {
        const Array &a = get(name);
        if (a.item_size != sizeof(T)) fail("array '" + name + "' has the wrong item size");
        target.resize(a.count);
        read(a, target.data());
    }
};

class Writer {
    std::FILE *file;

public:
    explicit Writer(const char *path);
    void record(const std::string &name, int32_t item_size, int64_t count, const void *data);
    void head(const std::string &name, int32_t item_size, int64_t count);
    void data(const void *bytes, size_t n);
    void close();
};

// Give a Synapses object its connections: the sorted arrays of the scene instead of connect().
void connect(const Scene &scene, const std::string &name, std::vector<int32_t> &pre,
             std::vector<int32_t> &post, int32_t *n_synapses, std::vector<int32_t> &n_outgoing,
             std::vector<int32_t> &n_incoming, int64_t n_sources, int64_t n_targets);

// Take the entries that call `function` out of a network's list of (clock, function).
template <class Objects, class Function> void drop(Objects &objects, Function function) {
    for (auto entry = objects.begin(); entry != objects.end();)
        entry = entry->second == function ? objects.erase(entry) : entry + 1;
}

void load_globals(const Scene &scene);
void report(double completed);

// Run in stretches of whole samples and report in between: Brian's own report asks the system for
// the time before every object of every step, which costs more than the simulation.
template <class Network> void run_reporting(Network &network, const Scene &scene) {
    const double dt = scene.number("dt");
    const int64_t steps = static_cast<int64_t>(scene.number("duration") / dt + 0.5);
    const int64_t per_sample = static_cast<int64_t>(sample_dt / dt + 0.5);
    const int64_t stretch = std::max<int64_t>(1, steps / per_sample / 50) * per_sample;
    for (int64_t done = 0; done < steps;) {
        const int64_t now = std::min(stretch, steps - done);
        network.run(now * dt, nullptr, 10.0);
        done += now;
        network.t = done * dt;
        report(static_cast<double>(done) / steps);
    }
}

inline double stimulus(double t, int64_t column) {
    int64_t row = static_cast<int64_t>(t / sample_dt + 0.5);
    if (row >= stimulus_rows) row = stimulus_rows - 1;
    return column < stimulus_columns ? stimulus_values[row * stimulus_columns + column] : 0.0;
}

inline double is_free(double t) {
    int64_t row = static_cast<int64_t>(t / sample_dt + 0.5);
    return free_values[row >= stimulus_rows ? stimulus_rows - 1 : row];
}

inline uint64_t mix(uint64_t z) {
    z += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

inline uint64_t hash(double stream, int64_t step, int64_t neuron) {
    return mix(mix(mix(static_cast<uint64_t>(stream)) ^ static_cast<uint64_t>(step)) ^
               static_cast<uint64_t>(neuron));
}

inline double frozen_uniform(double stream, int64_t step, int64_t neuron) {
    return static_cast<double>(hash(stream, step, neuron) >> 11) * 1.1102230246251565e-16;
}

inline double white_noise(double sd, double stream, int64_t step, int64_t neuron) {
    if (sd == 0.0) return 0.0;
    const uint64_t z = hash(stream, step, neuron);
    const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(z >> 11) + 0.5) * 1.1102230246251565e-16));
    return sd * radius * std::cos(6.283185307179586 * static_cast<double>(mix(z) >> 11) * 1.1102230246251565e-16);
}

} // namespace hrsnn

#endif
