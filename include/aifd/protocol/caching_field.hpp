// The field `caching` by which a request says whether its answer may come from the cache.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace aifd::protocol {

struct CachingField {
  enum class Is {
    absent,
    off,       // false
    on,        // true
    unclear,   // of another type than boolean, null included
    repeated,  // which of them counts is unknown; no cut is told
  };
  Is is = Is::absent;

  // The bytes of the body without which it is the same object without this member: the member and
  // the one comma that goes with it. Both 0 where it is absent.
  std::size_t cut_offset = 0;
  std::size_t cut_length = 0;
};

// Looks for the top-level "caching", its name spelled in whatever way but in small letters. nullopt
// where the body is no JSON object, not valid to its last byte, or nested deeper than 1,024; other
// names may repeat, and lone surrogates ("\ud800") stand. Linear, without memory of its own. The
// upstream does not know the field, so that it must not go up; the rest of the bytes stays as the
// client wrote it.
std::optional<CachingField> find_caching_field(std::string_view body);

}  // namespace aifd::protocol
