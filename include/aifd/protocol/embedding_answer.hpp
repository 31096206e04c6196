// Answers to requests for embeddings: taken apart into one stored item an input, and put together
// from such items.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/protocol/embedding_request.hpp"

namespace aifd::protocol {

// A stored item is what a cache keeps of one input's answer, from which both encodings are served:
//
//   aifd embedding 1\n
//   {"numbers":"float32","dimensions":3,"model":"m","usage":{"prompt_tokens":2,"total_tokens":2},
//    "answer":{},"item":{}}\n                                       (compact, all on one line)
//   the numbers, little-endian, as float32 or as float64
//
// "numbers" is "float64" where the upstream wrote decimals that are no float32 to the last bit;
// "usage" is the input's share of every count of tokens; "answer" and "item" hold the members that
// aifd does not know, of the answer and of the item.

// Takes an upstream's whole answer, decoded of any Content-Encoding, apart into stored items in the
// order of the inputs, of which `sizes` holds the EmbeddingInput::size of each. nullopt, so that
// nothing may be kept, where it is not a list ("object":"list") that has each index exactly once;
// an item is no "embedding", or its numbers are not finite float32, in whichever encoding; the
// items differ in dimensions; there is no "model"; names are written with escapes or twice; or the
// unknown members of one object take over 1,000 bytes.
//
// Each count in "usage" (whole numbers below a billion, of at most 8 names) is shared out in
// proportion to the sizes so that the shares sum up to it; what else is there (null, costs,
// details) is dropped.
//
// Time and memory are linear in the answer: about 0.2 s for 2,048 x 1,536 numbers, on one thread.
// Source: platform.openai.com/docs/api-reference/embeddings; base64 as its SDKs read it.
std::optional<std::vector<std::string>> split_embedding_answer(std::string_view answer,
                                                               std::span<const std::size_t> sizes);

// Whether `stored` is a stored item to its last byte, whoever wrote it.
bool is_stored_embedding(std::string_view stored);

// The answer that has the items' embeddings in their order, in the encoding asked for, and the sum
// of their usage; the unknown members of the answer are those of the first item. nullopt where an
// item is not a stored one, there is none, or they are not of one model or not of one number of
// dimensions: the model behind a name has changed since, and its numbers cannot be compared; and
// where it would be longer than `max_bytes`.
//
// Floats are written so that they read back as the very numbers that base64 has.
std::optional<std::string> join_embedding_answer(std::span<const std::string_view> stored,
                                                 EmbeddingEncoding encoding, std::size_t max_bytes);

}  // namespace aifd::protocol
