#include "lmdb_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace aifd::services {
namespace {

static_assert(sizeof(void*) == 8 && std::endian::native == std::endian::little);

constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
constexpr std::uint64_t kMetaPages = 2;
constexpr std::uint64_t kMostPages = std::uint64_t{1} << 28;  // 1 TiB of the smallest
constexpr std::size_t kPageHead = 16;
constexpr std::size_t kNodeHead = 8;
constexpr unsigned kDeepest = 20;  // LMDB's stack has 32

enum PageFlags : std::uint16_t { kBranch = 1, kLeaf = 2, kOverflow = 4, kMeta = 8 };
constexpr std::uint16_t kBigData = 1;     // of a node
constexpr std::uint16_t kIntegerKey = 8;  // of a database

struct Damage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool good, const char* what) {
  if (!good) throw Damage(what);
}

template <class T>
T load(std::string_view bytes, std::size_t at) {
  require(at <= bytes.size() && sizeof(T) <= bytes.size() - at, "a number beyond its page");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

struct Tree {  // MDB_db
  std::uint32_t pad;
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

struct Meta {  // MDB_meta
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t address, map_bytes;
  Tree free, main;
  std::uint64_t last_page, transaction;
};
static_assert(sizeof(Tree) == 48 && sizeof(Meta) == 136);

class File {
 public:
  explicit File(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat info {};
    if (descriptor_ >= 0 && ::fstat(descriptor_, &info) == 0) {
      size_ = static_cast<std::uint64_t>(info.st_size);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  std::uint64_t size() const noexcept { return size_; }

  std::string read(std::uint64_t at, std::size_t count) const {
    std::string bytes(count, '\0');
    const ssize_t got = ::pread(descriptor_, bytes.data(), count, static_cast<off_t>(at));
    require(got >= 0 && static_cast<std::size_t>(got) == count, "the file ends too early");
    return bytes;
  }

 private:
  const int descriptor_;
  std::uint64_t size_ = 0;
};

class Walk {
 public:
  explicit Walk(const File& file) : file_(file) {
    const Meta first = meta(0);
    page_bytes_ = first.free.pad;
    require(std::has_single_bit(page_bytes_) && page_bytes_ >= 4096 && page_bytes_ <= 32768,
            "an impossible size of pages");
    const Meta second = meta(page_bytes_);
    require(second.free.pad == page_bytes_, "two sizes of pages");
    meta_ = first.transaction < second.transaction ? second : first;
    require(meta_.last_page >= kMetaPages - 1 && meta_.last_page < kMostPages,
            "an impossible number of pages");
    seen_.resize(meta_.last_page + 1);
  }

  void check() {
    check_tree(meta_.main, false);
    check_tree(meta_.free, true);
    const auto seen = static_cast<std::uint64_t>(std::ranges::count(seen_, true));
    require(seen + kMetaPages == seen_.size(), "pages that are neither used nor free");
  }

 private:
  struct Counts {
    std::uint64_t branch_pages = 0, leaf_pages = 0, overflow_pages = 0, entries = 0;
  };
  struct Node {
    std::size_t at;
    std::size_t bytes;
    std::uint16_t flags;
    std::string_view key;
    std::uint32_t data_bytes;  // of a leaf's
    std::uint64_t child;       // of a branch's
  };

  Meta meta(std::uint64_t at) const {
    const std::string bytes = file_.read(at, kPageHead + sizeof(Meta));
    require(load<std::uint16_t>(bytes, 10) == kMeta, "no page of meta data");
    const Meta meta = load<Meta>(bytes, kPageHead);
    require(meta.magic == 0xBEEFC0DE && meta.version == 1, "not a file of LMDB 0.9");
    require(meta.free.flags == kIntegerKey && meta.main.flags == 0, "unknown flags");
    return meta;
  }

  // Each page is used once, or free.
  void see(std::uint64_t page) {
    require(page >= kMetaPages && page < seen_.size(), "a page out of bounds");
    require(!seen_[page], "a page used twice");
    seen_[page] = true;
  }

  std::string read(std::uint64_t page, std::size_t count) {
    see(page);
    std::string bytes = file_.read(page * page_bytes_, count);
    require(load<std::uint64_t>(bytes, 0) == page, "a page in another's place");
    return bytes;
  }

  void check_tree(const Tree& tree, bool free) {
    counts_ = {};
    last_key_.clear();
    require(tree.depth <= kDeepest && (tree.root == kNoPage) == (tree.depth == 0),
            "an impossible depth");
    if (tree.root != kNoPage) check_page(tree.root, tree.depth, free);
    require(tree.branch_pages == counts_.branch_pages && tree.leaf_pages == counts_.leaf_pages &&
                tree.overflow_pages == counts_.overflow_pages && tree.entries == counts_.entries,
            "wrong counts");
  }

  void check_page(std::uint64_t number, unsigned depth, bool free) {
    const std::string page = read(number, page_bytes_);
    const bool leaf = depth == 1;
    require(load<std::uint16_t>(page, 10) == (leaf ? kLeaf : kBranch), "a page of another kind");
    ++(leaf ? counts_.leaf_pages : counts_.branch_pages);
    const std::vector<Node> nodes = read_nodes(page, leaf);
    require(nodes.size() >= (leaf ? 1 : 2), "an empty page");
    for (const Node& node : nodes) {
      if (leaf) {
        check_leaf(page, node, free);
      } else {
        check_page(node.child, depth - 1, free);
      }
    }
  }

  // They fill the page's end without a gap.
  static std::vector<Node> read_nodes(std::string_view page, bool leaf) {
    const std::size_t lower = load<std::uint16_t>(page, 12);
    const std::size_t upper = load<std::uint16_t>(page, 14);
    require(lower >= kPageHead && lower % 2 == 0 && lower <= upper && upper <= page.size(),
            "impossible bounds of a page");
    std::vector<Node> nodes;
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (std::size_t at = kPageHead; at < lower; at += 2) {
      const Node& node = nodes.emplace_back(read_node(page, load<std::uint16_t>(page, at), leaf));
      places.emplace_back(node.at, node.bytes);
    }
    std::ranges::sort(places);
    std::size_t end = upper;
    for (const auto& [at, bytes] : places) {
      require(at == end, "overlapping nodes");
      end += bytes;
    }
    require(end == page.size(), "a gap between nodes");
    return nodes;
  }

  static Node read_node(std::string_view page, std::size_t at, bool leaf) {
    Node node{};
    node.at = at;
    const std::uint32_t low = load<std::uint32_t>(page, at);
    node.flags = load<std::uint16_t>(page, at + 4);
    const std::size_t key_bytes = load<std::uint16_t>(page, at + 6);
    node.bytes = kNodeHead + key_bytes;
    if (leaf) {
      require((node.flags & ~kBigData) == 0, "unknown flags of a node");
      node.data_bytes = low;
      node.bytes += node.flags == kBigData ? sizeof(std::uint64_t) : std::size_t{low};
    } else {
      node.child = low | std::uint64_t{node.flags} << 32;
    }
    node.bytes += node.bytes % 2;
    require(node.bytes <= page.size() - at, "a node beyond its page");
    node.key = page.substr(at + kNodeHead, key_bytes);
    return node;
  }

  void check_leaf(std::string_view page, const Node& node, bool free) {
    ++counts_.entries;
    check_order(node.key, free);
    const std::size_t data_at = node.at + kNodeHead + node.key.size();
    if (node.flags == kBigData) {
      const std::uint64_t first = load<std::uint64_t>(page, data_at);
      const std::string data = check_overflow(first, node.data_bytes, free);
      if (free) check_free_pages(data);
    } else if (free) {
      check_free_pages(page.substr(data_at, node.data_bytes));
    }
  }

  void check_order(std::string_view key, bool free) {
    require(!key.empty() && key.size() <= 511, "an impossible key");
    if (free) {
      require(key.size() == 8, "an impossible key");
      require(last_key_.empty() || load<std::uint64_t>(last_key_, 0) < load<std::uint64_t>(key, 0),
              "keys out of order");
    } else {
      require(last_key_ < key, "keys out of order");
    }
    last_key_ = key;
  }

  std::string check_overflow(std::uint64_t first, std::size_t data_bytes, bool wanted) {
    const std::uint64_t pages = (kPageHead - 1 + data_bytes) / page_bytes_ + 1;
    counts_.overflow_pages += pages;
    const std::string head = read(first, kPageHead);
    require(load<std::uint16_t>(head, 10) == kOverflow && load<std::uint32_t>(head, 12) == pages,
            "a page of another kind");
    for (std::uint64_t page = first + 1; page < first + pages; ++page) see(page);
    require(first + pages <= file_.size() / page_bytes_, "the file ends too early");
    return wanted ? file_.read(first * page_bytes_ + kPageHead, data_bytes) : std::string();
  }

  // These alone may lie beyond the file's end.
  void check_free_pages(std::string_view list) {
    const std::uint64_t count = load<std::uint64_t>(list, 0);
    require(count < list.size() / sizeof(std::uint64_t), "an impossible list of free pages");
    std::uint64_t before = kNoPage;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const std::uint64_t page = load<std::uint64_t>(list, i * sizeof(std::uint64_t));
      require(page < before, "free pages out of order");
      see(page);
      before = page;
    }
  }

  const File& file_;
  std::uint32_t page_bytes_ = 0;
  Meta meta_{};
  std::vector<bool> seen_;
  Counts counts_;
  std::string last_key_;
};

}  // namespace

std::string find_lmdb_damage(const std::filesystem::path& path) {
  const File file(path);
  if (file.size() == 0) return "";
  try {
    Walk(file).check();
    return "";
  } catch (const Damage& damage) {
    return damage.what();
  }
}

}  // namespace aifd::services
