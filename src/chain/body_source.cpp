#include "aifd/chain/body_source.hpp"

namespace aifd::chain {

Task<Result<Piece>> TextBody::next() {
  co_return Piece{text_, true};
}

}  // namespace aifd::chain
