# Debian 12's own packages, found by their CMake files; scripts/install-deps names them.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)  # 1.74, Debian's default, lacks what we use of Asio and Beast
find_package(OpenSSL 3.0 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(simdjson 3.0 REQUIRED)
find_package(ZLIB REQUIRED)

# hiredis 0.14, whose own CMake file makes no target.
find_path(AIFD_HIREDIS_INCLUDE hiredis/read.h REQUIRED)
find_library(AIFD_HIREDIS_LIBRARY hiredis REQUIRED)
add_library(aifd_hiredis INTERFACE)
target_include_directories(aifd_hiredis SYSTEM INTERFACE ${AIFD_HIREDIS_INCLUDE})
target_link_libraries(aifd_hiredis INTERFACE ${AIFD_HIREDIS_LIBRARY})

# Libraries whose own CMake files make no target, or ask for more than is needed: the cache's stores
# on disk, what is masked in the conversation log, and its compressed files.
foreach(library lmdb leveldb re2 zstd)
  string(TOUPPER ${library} LIBRARY)
  find_path(AIFD_${LIBRARY}_INCLUDE NAMES ${library}.h ${library}/db.h ${library}/re2.h REQUIRED)
  find_library(AIFD_${LIBRARY}_LIBRARY ${library} REQUIRED)
  add_library(aifd_${library} INTERFACE)
  target_include_directories(aifd_${library} SYSTEM INTERFACE ${AIFD_${LIBRARY}_INCLUDE})
  target_link_libraries(aifd_${library} INTERFACE ${AIFD_${LIBRARY}_LIBRARY})
endforeach()

# The daemon's malloc: it gives memory back that malloc of glibc keeps, and takes fewer instructions.
# The sanitizers bring their own. src/main.cpp sets it up.
option(AIFD_JEMALLOC "Link jemalloc" ON)
add_library(aifd_malloc INTERFACE)
if(AIFD_JEMALLOC AND NOT AIFD_SANITIZE)
  find_library(AIFD_JEMALLOC_LIBRARY jemalloc REQUIRED)
  # Nothing names it, and a linker may leave out what nothing names.
  target_link_libraries(aifd_malloc INTERFACE
    -Wl,--push-state,--no-as-needed ${AIFD_JEMALLOC_LIBRARY} -Wl,--pop-state)
endif()

# Asio's headers, set up the same in every target that includes them.
add_library(aifd_asio INTERFACE)
target_link_libraries(aifd_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(aifd_asio INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_NO_TS_EXECUTORS
  # How many freed coroutine frames each thread keeps for the next: a request has some 20, of as
  # many sizes, and each one missed is a call of aligned_alloc.
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16)
