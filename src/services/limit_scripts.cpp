#include "limit_scripts.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "aifd/base/hex.hpp"

namespace aifd::services {
namespace {

using config::RateLimitStrategy;

// Numbers are doubles: times since 1970 are exact in them to the microsecond until the year 2255.
constexpr std::string_view kBegin = R"lua(
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

-- Whole, however large the numbers are: tostring() writes 1e+15.
local function text(number) return string.format('%.0f', number) end

local function div_up(number, by)
  local rest = math.fmod(number, by)
  local whole = (number - rest) / by
  if rest > 0 then return whole + 1 end
  return whole
end

local function div_down(number, by) return (number - math.fmod(number, by)) / by end

-- A second longer than needed: what counts is the times inside, not when Redis forgets them.
local function milliseconds(span) return text(div_up(span, 1000) + 1000) end

local function load(key)
  local numbers = {}
  local state = redis.call('GET', key)
  if state then
    for number in string.gmatch(state, '%d+') do numbers[#numbers + 1] = tonumber(number) end
  end
  return numbers
end

local function store(key, span, ...)
  local words = {}
  for _, number in ipairs({...}) do words[#words + 1] = text(number) end
  redis.call('SET', key, table.concat(words, ' '), 'PX', milliseconds(span))
end
)lua";

// What a strategy defines, of a limit {key, count, window}:
//   read(l)     finds its state
//   wait(l)     until it admits this request; 0: it does
//   hit(l)      counts this request
//   refuse(l)   is told that it refuses
//   report(l)   what remains, and until all of it is free
constexpr std::string_view kEnd = R"lua(
local limits = {}
for i, key in ipairs(KEYS) do
  limits[i] = {key = key, count = tonumber(ARGV[2 * i]), window = tonumber(ARGV[2 * i + 1])}
  read(limits[i])
end

local longest, refusing = 0, nil
for i, l in ipairs(limits) do
  local time = wait(l)
  if time > 0 then
    time = refuse(l) or time
    if time > longest then longest, refusing = time, i end
  end
end
if refusing then
  local remaining, reset = report(limits[refusing])
  return {0, refusing - 1, remaining, reset, longest}
end

local index, least, reset = 0, nil, 0
for i, l in ipairs(limits) do
  hit(l)
  local remaining, time = report(l)
  if not least or remaining < least then index, least, reset = i, remaining, time end
end
return {1, index - 1, least, reset, 0}
)lua";

// State: hits, and when the window ends. It begins with its first hit. A window that ends later
// than it could is from before the clock was set back.
constexpr std::string_view kFixedWindow = R"lua(
local function read(l)
  local state = load(l.key)
  l.hits, l.ends = state[1] or 0, state[2] or 0
  if l.ends <= now then l.hits, l.ends = 0, now + l.window end
  l.ends = math.min(l.ends, now + l.window)
end

local function report(l) return l.count - l.hits, l.ends - now end
local function wait(l)
  if l.hits < l.count then return 0 end
  return l.ends - now
end
)lua";

constexpr std::string_view kFixedWindowHits = R"lua(
local function hit(l)
  l.hits = l.hits + 1
  store(l.key, l.ends - now, l.hits, l.ends)
end
local function refuse(l) end
)lua";

// The same, but every request, also a refused one, moves the window's end.
constexpr std::string_view kElasticHits = R"lua(
local function extend(l)
  l.ends = now + l.window
  store(l.key, l.window, l.hits, l.ends)
end
local function hit(l)
  l.hits = l.hits + 1
  extend(l)
end
local function refuse(l)
  extend(l)
  return l.window
end
)lua";

// State: a list of the times of the last hits, at most `count`. Time does not run backwards in it;
// what is further ahead than a window is from before the clock was set back.
constexpr std::string_view kMovingWindow = R"lua(
local function at(l, index) return tonumber(redis.call('LINDEX', l.key, text(index))) end

-- How many hits at the list's beginning are out of the window.
local function outdated(l, length)
  local low, high = 0, length
  while low < high do
    local middle = math.floor((low + high) / 2)
    if at(l, middle) + l.window > l.now then high = middle else low = middle + 1 end
  end
  return low
end

local function read(l)
  local length = redis.call('LLEN', l.key)
  l.now, l.hits = now, 0
  if length == 0 then return end
  l.newest = at(l, -1)
  if l.newest > now + l.window then
    redis.call('DEL', l.key)
    return
  end
  l.now = math.max(now, l.newest)
  local old = outdated(l, length)
  if old > 0 then redis.call('LTRIM', l.key, text(old), '-1') end
  l.hits = length - old
  if l.hits > 0 then l.oldest = at(l, 0) end
end

local function wait(l)
  if l.hits < l.count then return 0 end
  return l.oldest + l.window - l.now
end

local function hit(l)
  redis.call('RPUSH', l.key, text(l.now))
  redis.call('PEXPIRE', l.key, milliseconds(l.window + l.now - now))
  l.hits, l.newest = l.hits + 1, l.now
end

local function refuse(l) end
local function report(l) return l.count - l.hits, l.newest + l.window - l.now end
)lua";

// State: the index of a window since 1970, its hits, and those of the window before. The hits
// before weigh as much as is left of this window.
constexpr std::string_view kSlidingWindow = R"lua(
local function read(l)
  local state = load(l.key)
  local index = div_down(now, l.window)
  l.index, l.hits, l.before = index, 0, 0
  l.left = (index + 1) * l.window - now
  if state[1] == index + 1 then  -- the clock was set back a little: that window begins now
    l.index, l.left, index = index + 1, l.window, index + 1
  end
  if state[1] == index then l.hits, l.before = state[2], state[3] end
  if state[1] == index - 1 then l.before = state[2] end
end

-- The largest rest of a window in which so many hits before leave room for so many more.
local function rest_for(before, room, window)
  if before == 0 then return window end
  return math.min(window, div_down(room * window, before))
end

local function wait(l)
  if l.hits >= l.count then return l.left + l.window - rest_for(l.hits, l.count - 1, l.window) end
  return math.max(0, l.left - rest_for(l.before, l.count - l.hits - 1, l.window))
end

local function hit(l)
  l.hits = l.hits + 1
  store(l.key, l.left + l.window, l.index, l.hits, l.before)
end

local function refuse(l) end
local function report(l)
  local remaining = l.count - l.hits - div_up(l.before * l.left, l.window)
  if l.hits == 0 then return math.max(0, remaining), l.left end
  return math.max(0, remaining), l.left + l.window
end
)lua";

// State: a time and the hits since. Each hit takes window / count of time, of which a window's
// worth may be taken ahead. The time moves by whole windows, so that nothing is ever rounded twice.
constexpr std::string_view kGcra = R"lua(
-- How long so many hits take, rounded up.
local function span(l, hits)
  local whole = div_down(l.window, l.count)
  return hits * whole + div_up(hits * (l.window - whole * l.count), l.count)
end

local function read(l)
  local state = load(l.key)
  l.since, l.hits = state[1] or 0, state[2] or 0
  if l.since + span(l, l.hits) <= now then l.since, l.hits = now, 0 end
  if l.since + span(l, l.hits) > now + l.window then l.since, l.hits = now, l.count end
end

local function wait(l) return math.max(0, l.since + span(l, l.hits + 1) - now - l.window) end

local function hit(l)
  l.hits = l.hits + 1
  if l.hits >= l.count then l.since, l.hits = l.since + l.window, l.hits - l.count end
  store(l.key, l.since + span(l, l.hits) - now, l.since, l.hits)
end

local function refuse(l) end
local function report(l)
  local room = now + l.window - l.since
  local most = math.floor(room / l.window * l.count) + 1
  while most > 0 and span(l, most) > room do most = most - 1 end
  return math.max(0, most - l.hits), l.since + span(l, l.hits) - now
end
)lua";

std::string_view strategy_part(RateLimitStrategy strategy) {
  switch (strategy) {
    case RateLimitStrategy::moving_window:
      return kMovingWindow;
    case RateLimitStrategy::sliding_window_counter:
      return kSlidingWindow;
    case RateLimitStrategy::gcra:
      return kGcra;
    case RateLimitStrategy::fixed_window:
    case RateLimitStrategy::fixed_window_elastic_expiry:
      break;
  }
  return kFixedWindow;
}

std::string_view hits_part(RateLimitStrategy strategy) {
  if (strategy == RateLimitStrategy::fixed_window) return kFixedWindowHits;
  if (strategy == RateLimitStrategy::fixed_window_elastic_expiry) return kElasticHits;
  return "";
}

}  // namespace

std::string limit_script(RateLimitStrategy strategy) {
  std::string script(kBegin);
  return script.append(strategy_part(strategy)).append(hits_part(strategy)).append(kEnd);
}

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, 20> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL computes no SHA-1, by which Redis knows scripts");
  }
  return hex(digest);
}

}  // namespace aifd::services
