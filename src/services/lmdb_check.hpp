// Whether LMDB can be let loose on a file. It maps the file and trusts every number in it: of a
// damaged one it dies by SIGBUS, SIGSEGV or abort().
#pragma once

#include <filesystem>
#include <string>

namespace aifd::services {

// Reads the tree of the newest state, the records' bytes apart, and checks that LMDB finds nothing
// in it that it does not expect: every page in its place, used once or free, every length within
// its page, every key after the one before it. Takes a bit of memory a page, 32 MiB at most.
//
// What is wrong, or "". A file that is missing or empty is as good as new. Format: mdb.c of LMDB
// 0.9, as made by a 64-bit process on this kind of machine, without named or sorted-duplicate
// databases.
std::string find_lmdb_damage(const std::filesystem::path& file);

}  // namespace aifd::services
