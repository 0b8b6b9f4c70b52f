# Debian's cross compiler and its packages of arm64, next to the building machine's own. Programs of the build
# (find_serializer_flag, make_base_blob) run in an emulator of processes.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(triplet aarch64-linux-gnu)

set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)

# Libraries of arm64 alone. Headers that are the same for all machines are shared.
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})
set(CMAKE_SYSTEM_LIBRARY_PATH /usr/lib/${triplet})
set(CMAKE_SYSTEM_INCLUDE_PATH /usr/include/${triplet})
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${triplet}/pkgconfig:/usr/share/pkgconfig)
