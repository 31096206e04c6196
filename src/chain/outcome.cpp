#include "aifd/chain/outcome.hpp"

namespace aifd::chain {

std::string_view to_string(EndedBy ended_by) noexcept {
  switch (ended_by) {
    case EndedBy::complete:
      return "complete";
    case EndedBy::client:
      return "client";
    case EndedBy::upstream:
      return "upstream";
    case EndedBy::aifd:
      return "aifd";
  }
  return "";
}

std::string_view to_string(Drained drained) noexcept {
  switch (drained) {
    case Drained::no:
      break;
    case Drained::whole:
      return "whole";
    case Drained::cut:
      return "cut";
  }
  return {};
}

std::string_view to_string(Phase phase) noexcept {
  switch (phase) {
    case Phase::links:
      return "links";
    case Phase::connect:
      return "connect";
    case Phase::upload:
      return "upload";
    case Phase::wait_head:
      return "wait_head";
    case Phase::stream:
      return "stream";
    case Phase::tunnel:
      return "tunnel";
  }
  return "";
}

}  // namespace aifd::chain
