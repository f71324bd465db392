// common/ptx/ for the emulated device: the same functions, file by file.
#pragma once

#include "simt/ptx/async_copy.hpp"
#include "simt/ptx/cluster.hpp"
#include "simt/ptx/mbarrier.hpp"
#include "simt/ptx/memory.hpp"
#include "simt/ptx/mma.hpp"
#include "simt/ptx/tma.hpp"
#include "simt/ptx/warp.hpp"
#include "simt/ptx/wgmma.hpp"
