# Debian 12's own packages, found by their CMake files; scripts/install-deps names them.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)  # 1.74, Debian's default, lacks what we use of Asio and Beast
find_package(OpenSSL 3.0 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(simdjson 3.0 REQUIRED)

# hiredis 0.14, whose own CMake file makes no target.
find_path(AIFD_HIREDIS_INCLUDE hiredis/read.h REQUIRED)
find_library(AIFD_HIREDIS_LIBRARY hiredis REQUIRED)
add_library(aifd_hiredis INTERFACE)
target_include_directories(aifd_hiredis SYSTEM INTERFACE ${AIFD_HIREDIS_INCLUDE})
target_link_libraries(aifd_hiredis INTERFACE ${AIFD_HIREDIS_LIBRARY})

# The cache's stores on disk. LMDB has no CMake file, and LevelDB's asks for libsnappy-dev too.
foreach(store lmdb leveldb)
  string(TOUPPER ${store} STORE)
  find_path(AIFD_${STORE}_INCLUDE NAMES ${store}.h ${store}/db.h REQUIRED)
  find_library(AIFD_${STORE}_LIBRARY ${store} REQUIRED)
  add_library(aifd_${store} INTERFACE)
  target_include_directories(aifd_${store} SYSTEM INTERFACE ${AIFD_${STORE}_INCLUDE})
  target_link_libraries(aifd_${store} INTERFACE ${AIFD_${STORE}_LIBRARY})
endforeach()

# Asio's headers, set up the same in every target that includes them.
add_library(aifd_asio INTERFACE)
target_link_libraries(aifd_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(aifd_asio INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_NO_TS_EXECUTORS
  # How many freed coroutine frames each thread keeps for the next: a request has some 20, of as
  # many sizes, and each one missed is a call of aligned_alloc.
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16)
