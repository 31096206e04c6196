# One interface target that holds the warnings; every target of ours links it, no dependency does.
add_library(aifd_warnings INTERFACE)
target_compile_options(aifd_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wnull-dereference -Wformat=2)
option(AIFD_WERROR "Treat warnings as errors" OFF)
if(AIFD_WERROR)
  target_compile_options(aifd_warnings INTERFACE -Werror)
endif()
