// Memory for buffers, on huge pages.
#pragma once
#include <cstddef>

namespace heed {

// Zero-filled memory, aligned to 64 bytes. Returns null if the system has no more.
//
// Blocks of 32 MiB and more have a separate mapping, whose pages are allocated on first access.
// Smaller ones, from 64 KiB on, share mappings. In a separate mapping, a weight of 1 MiB would be
// on small pages, and so would a ninth of a weight of 9 MiB. A product with one row reads small
// pages a sixth slower.
void* allocatePages(size_t bytes);
void freePages(void* memory, size_t bytes);

} // namespace heed
