// The yardstick: the least C++ that simulates the same network as the generated program.
// LIF with precomputed propagators, one synaptic current, subtractive reset, constant input.
// Usage: yardstick SCENE RESULT  (the engine's own scene file; see scene.h for the format)
#include "scene.h"

using hrsnn::Scene;

template <class T> static std::vector<T> load(const Scene &scene, const std::string &name) {
    std::vector<T> values;
    scene.assign(name, values);
    return values;
}

int main(int, char **argv) {
    const Scene scene(argv[1]);
    const int n = static_cast<int>(scene.number("n_active"));
    const double dt = scene.number("dt");
    const int64_t steps = static_cast<int64_t>(scene.number("duration") / dt + 0.5);
    const int64_t refractory = load<int32_t>(scene, "neurons.refractory_steps").at(0);
    auto v = load<double>(scene, "neurons.v"), i_syn = load<double>(scene, "neurons.I_syn");
    const auto v_th = load<double>(scene, "neurons.v_th");
    const auto p_vv = load<double>(scene, "neurons.P_v_v");
    const auto p_vi = load<double>(scene, "neurons.P_v_I_syn");
    const auto p_vx = load<double>(scene, "neurons.P_v_I_in");
    const auto p_ii = load<double>(scene, "neurons.P_I_syn_I_syn");
    const auto bias = load<double>(scene, "encoder.bias");
    const auto pre = load<int32_t>(scene, "recurrent._synaptic_pre");
    const auto post = load<int32_t>(scene, "recurrent._synaptic_post");
    const auto w = load<double>(scene, "recurrent.w");
    std::vector<int64_t> start(n + 1, 0);
    for (int32_t j : pre) start[j + 1]++;
    for (int j = 0; j < n; j++) start[j + 1] += start[j];

    std::vector<int32_t> count(n, 0);
    std::vector<int64_t> ready(n, 0); // first step at which a neuron is not refractory
    std::vector<int> spiking;
    for (int64_t step = 0; step < steps; step++) {
        spiking.clear();
        for (int i = 0; i < n; i++) {
            const double v_new = p_vv[i] * v[i] + p_vx[i] * bias[i] + p_vi[i] * i_syn[i];
            i_syn[i] = p_ii[i] * i_syn[i];
            if (step < ready[i]) continue;
            v[i] = v_new;
            if (v_new >= v_th[i]) spiking.push_back(i);
        }
        for (int j : spiking) {
            count[j]++;
            ready[j] = step + refractory;
            for (int64_t s = start[j]; s < start[j + 1]; s++) i_syn[post[s]] += w[s];
        }
        for (int j : spiking) v[j] -= v_th[j];
    }
    hrsnn::Writer writer(argv[2]);
    writer.record("spike_count", 4, n, count.data());
    writer.close();
}
