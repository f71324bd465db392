// The table of this level: the only symbol that leaves its object file.
#include "cpu/kernel.hpp"

#define TOPV_JOIN(a, b) a##b
#define TOPV_TABLE(isa) TOPV_JOIN(topv_kernels_, isa)

extern "C" __attribute__((visibility("hidden"))) const topv::cpu::Kernels TOPV_TABLE(TOPV_ISA) = {
#define TOPV_ENTRY(name, Params) &topv::cpu::TOPV_ISA::name,
    TOPV_KERNELS(TOPV_ENTRY)
#undef TOPV_ENTRY
};
