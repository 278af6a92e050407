#include "scene.h"

namespace hrsnn {

int64_t n_active = 0, n_inputs = 0;
const double *stimulus_values = nullptr;
int64_t stimulus_rows = 0, stimulus_columns = 0;
const double *free_values = nullptr;
double sample_dt = 1.0;

static std::vector<double> stimulus_store, free_store;

void fail(const std::string &message) {
    std::fprintf(stderr, "hrsnn: %s\n", message.c_str());
    std::exit(3);
}

static void read_exactly(std::FILE *file, void *target, size_t n) {
    if (n && std::fread(target, 1, n, file) != n) fail("the scene file is cut short");
}

static void go_to(std::FILE *file, long offset, int from) {
    if (std::fseek(file, offset, from)) fail("the scene is no file to go to and fro in");
}

Scene::Scene(const char *path) {
    if (!path) fail("HRSNN_SCENE names no file");
    file = std::fopen(path, "rb");
    if (!file) fail(std::string("cannot open ") + path);
    go_to(file, 0, SEEK_END);
    const long size = std::ftell(file);
    go_to(file, 0, SEEK_SET);
    int32_t length;
    while (std::fread(&length, sizeof length, 1, file) == 1) {
        std::string name(length, '\0');
        read_exactly(file, &name[0], length);
        Array a;
        read_exactly(file, &a.item_size, sizeof a.item_size);
        read_exactly(file, &a.count, sizeof a.count);
        a.offset = std::ftell(file);
        if (a.item_size < 1 || a.count < 0 || a.count > (size - a.offset) / a.item_size)
            fail("the scene file is cut short");
        go_to(file, a.item_size * a.count, SEEK_CUR);
        arrays[name] = a;
    }
}

void Scene::read(const Array &array, void *target) const {
    go_to(file, array.offset, SEEK_SET);
    read_exactly(file, target, array.item_size * array.count);
}

const Array &Scene::get(const std::string &name) const {
    auto found = arrays.find(name);
    if (found == arrays.end()) fail("the scene has no array '" + name + "'");
    return found->second;
}

double Scene::number(const std::string &name) const {
    double value;
    fill(name, &value, 1, true);
    return value;
}

Writer::Writer(const char *path) {
    file = path ? std::fopen(path, "wb") : nullptr;
    if (!file) fail("cannot write the results");
}

void Writer::data(const void *bytes, size_t n) {
    if (n && std::fwrite(bytes, 1, n, file) != n) fail("cannot write the results: disk full?");
}

void Writer::head(const std::string &name, int32_t item_size, int64_t count) {
    const int32_t length = static_cast<int32_t>(name.size());
    data(&length, sizeof length);
    data(name.data(), name.size());
    data(&item_size, sizeof item_size);
    data(&count, sizeof count);
}

void Writer::record(const std::string &name, int32_t item_size, int64_t count, const void *bytes) {
    head(name, item_size, count);
    data(bytes, static_cast<size_t>(item_size) * count);
}

void Writer::close() {
    if (std::fclose(file)) fail("cannot write the results: disk full?");
}

void connect(const Scene &scene, const std::string &name, std::vector<int32_t> &pre,
             std::vector<int32_t> &post, int32_t *n_synapses, std::vector<int32_t> &n_outgoing,
             std::vector<int32_t> &n_incoming, int64_t n_sources, int64_t n_targets) {
    scene.assign(name + "._synaptic_pre", pre);
    scene.assign(name + "._synaptic_post", post);
    if (pre.size() != post.size()) fail("'" + name + "' has unequal numbers of ends");
    n_outgoing.assign(n_sources, 0);
    n_incoming.assign(n_targets, 0);
    for (size_t k = 0; k < pre.size(); k++) {
        if (pre[k] < 0 || pre[k] >= n_sources || post[k] < 0 || post[k] >= n_targets)
            fail("'" + name + "' connects a neuron that does not exist");
        n_outgoing[pre[k]]++;
        n_incoming[post[k]]++;
    }
    n_synapses[0] = static_cast<int32_t>(pre.size());
}

void load_globals(const Scene &scene) {
    n_active = static_cast<int64_t>(scene.number("n_active"));
    n_inputs = static_cast<int64_t>(scene.number("n_inputs"));
    sample_dt = scene.number("sample");
    stimulus_rows = static_cast<int64_t>(scene.number("stimulus_rows"));
    stimulus_columns = static_cast<int64_t>(scene.number("stimulus_columns"));
    scene.assign("stimulus", stimulus_store);
    scene.assign("free", free_store);
    if (static_cast<int64_t>(stimulus_store.size()) != stimulus_rows * stimulus_columns ||
        static_cast<int64_t>(free_store.size()) != stimulus_rows)
        fail("stimulus and free flags have the wrong size");
    stimulus_values = stimulus_store.data();
    free_values = free_store.data();
}

void report(double completed) {
    std::printf("progress %.6f\n", completed);
    std::fflush(stdout);
}

} // namespace hrsnn
