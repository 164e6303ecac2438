// Memory for buffers, on huge pages.
#pragma once
#include <cstddef>

namespace heed {

// Zero-filled memory, aligned to 64 bytes. Null when the system has no more.
//
// Blocks of 32 MiB and more are mappings of their own, backed only once touched. Smaller ones, from
// 64 KiB on, share mappings: alone, a weight of one megabyte would lie on small pages, and a ninth
// of one of nine; from small pages a product with one row reads a sixth slower.
void* allocatePages(size_t bytes);
void freePages(void* memory, size_t bytes);

} // namespace heed
