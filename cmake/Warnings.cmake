# One interface target that holds the warnings; every target of ours links it, no dependency does.
add_library(aifd_warnings INTERFACE)
target_compile_options(aifd_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wformat=2)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms about std::string at -O2: https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105329, and
  # about variants that are moved.
  target_compile_options(aifd_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
option(AIFD_WERROR "Treat warnings as errors" OFF)
if(AIFD_WERROR)
  target_compile_options(aifd_warnings INTERFACE -Werror)
endif()
