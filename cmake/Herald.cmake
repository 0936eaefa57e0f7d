# SPDX-License-Identifier: Apache-2.0
# Compiler settings and the three ways to declare something: a library, a program, a folder of tests.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# Functions that nothing calls are left out of programs.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -ffunction-sections -fdata-sections")
set(CMAKE_EXE_LINKER_FLAGS_RELEASE "-Wl,--gc-sections")

option(HERALD_TESTS "Build the tests, benchmarks and fuzz replays" ON)
option(HERALD_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(HERALD_FUZZ "Build the fuzz targets for libFuzzer (clang)" OFF)
option(HERALD_TIDY "Run clang-tidy while compiling" OFF)
set(HERALD_TEST_DATA "$ENV{HERALD_TEST_DATA}" CACHE PATH "Folder of third-party test data; tests that need it are left out when empty")

find_program(HERALD_CCACHE ccache)
if(HERALD_CCACHE)
  # Precompiled headers need the sloppiness; see ccache(1), "Precompiled headers".
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${HERALD_CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
pkg_check_modules(MNL REQUIRED IMPORTED_TARGET libmnl)
pkg_check_modules(NL_ROUTE REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
find_package(Boost 1.81 REQUIRED)

add_library(herald_options INTERFACE)
target_include_directories(herald_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(herald_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(herald_options INTERFACE -fcoroutines -fpch-preprocess)
  # When it optimises, gcc 12 sees overlapping copies, overruns and uninitialised members in std::string and std::variant
  # where there are none (gcc bugs 105562, 105651, 105329). clang, and gcc without optimisation, take all warnings for errors.
  foreach(warning maybe-uninitialized restrict array-bounds stringop-overflow stringop-overread free-nonheap-object
          dangling-pointer use-after-free)
    target_compile_options(herald_options INTERFACE $<$<CONFIG:Release>:-Wno-${warning}>)
  endforeach()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(herald_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp") # ccache(1) wants it
endif()
if(HERALD_SANITIZE)
  # clang 14 cannot assemble what the function check puts in front of coroutines.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=function -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(HERALD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(HERALD_TIDY)
  find_program(HERALD_CLANG_TIDY NAMES clang-tidy-19 clang-tidy-14 clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY ${HERALD_CLANG_TIDY} --quiet)
endif()

# Asio and Beast compiled once, for the programs at the edge.
add_library(herald_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio.cpp ${CMAKE_SOURCE_DIR}/cmake/beast.cpp)
set_source_files_properties(${CMAKE_SOURCE_DIR}/cmake/beast.cpp PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
target_compile_definitions(herald_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_link_libraries(herald_asio PUBLIC Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
set_target_properties(herald_asio PROPERTIES CXX_CLANG_TIDY "")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(herald_asio PUBLIC -fcoroutines)
endif()

# herald_files(VARIABLE pattern...): the .cpp files below the calling folder that match a pattern, which has no ending.
function(herald_files variable)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE patterns)
  list(TRANSFORM patterns APPEND .cpp)
  file(GLOB found CONFIGURE_DEPENDS ${patterns})
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# herald_part(NAME [LINKS target...] FILES pattern...): .cpp files below the calling folder that match a pattern, as a
# library of their own for who needs nothing else of the folder. Comes before the folder's herald_library, which leaves
# those files to it and links it.
function(herald_part name)
  cmake_parse_arguments(arg "" "" "LINKS;FILES" ${ARGN})
  herald_files(sources ${arg_FILES})
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PRIVATE herald_options PUBLIC ${arg_LINKS})
  set_property(DIRECTORY APPEND PROPERTY herald_parts ${name})
endfunction()

# herald_library(NAME [LINKS target...] [SMALL pattern...]): every .cpp below the calling folder but main.cpp and what parts
# have. Files that match a pattern of SMALL run once for a process, a request or an object of the configuration; they are
# compiled for size, so that a program takes less memory.
function(herald_library name)
  cmake_parse_arguments(arg "" "" "LINKS;SMALL" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  get_property(parts DIRECTORY PROPERTY herald_parts)
  foreach(part ${parts})
    get_target_property(taken ${part} SOURCES)
    list(REMOVE_ITEM sources ${taken})
  endforeach()
  if(arg_SMALL)
    herald_files(small ${arg_SMALL})
    list(REMOVE_ITEM sources ${small})
    add_library(${name}_small OBJECT ${small})
    target_compile_options(${name}_small PRIVATE $<$<CONFIG:Release>:-Os>)
    target_link_libraries(${name}_small PRIVATE herald_options ${parts} ${arg_LINKS})
    list(APPEND sources $<TARGET_OBJECTS:${name}_small>)
  endif()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PRIVATE herald_options PUBLIC ${parts} ${arg_LINKS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# herald_hot(LIBRARY): optimised under sanitizers too; elsewhere a build without optimisation is done in half the time.
function(herald_hot name)
  foreach(target ${name} ${name}_small)
    if(HERALD_SANITIZE AND TARGET ${target})
      target_compile_options(${target} PRIVATE -O1)
    endif()
  endforeach()
endfunction()

# herald_precompile(LIBRARY [<header>...]): most of the time that compiling takes goes into these, and into what is
# included nearly everywhere.
function(herald_precompile name)
  foreach(target ${name} ${name}_small)
    if(TARGET ${target})
      target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <compare> <functional> <map> <memory> <optional>
        <span> <string> <string_view> <tl/expected.hpp> <utility> <variant> <vector> ${ARGN})
    endif()
  endforeach()
endfunction()

# herald_program(NAME LIBRARY... [FIRST library...]): main.cpp of the calling folder over a library of its own. What stands
# in the libraries that are FIRST lies together in the program, and templates that they share with others are as they
# compiled them, not as a file that is SMALL did.
function(herald_program name library)
  cmake_parse_arguments(arg "" "" "FIRST" ${ARGN})
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/main.cpp)
    return()
  endif()
  list(TRANSFORM arg_FIRST REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")
  add_executable(${name} ${arg_FIRST} main.cpp)
  target_link_libraries(${name} PRIVATE herald_options ${library} ${arg_UNPARSED_ARGUMENTS})
endfunction()

# herald_jemalloc(PROGRAM): malloc() is jemalloc's; the sanitizers bring their own.
function(herald_jemalloc program)
  if(NOT HERALD_SANITIZE)
    # No symbol is named, so that a linker that leaves out what is not needed would.
    target_link_libraries(${program} PRIVATE -Wl,--no-as-needed PkgConfig::JEMALLOC)
  endif()
endfunction()

# What every test includes, precompiled once for all binaries.
function(herald_test_headers)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/test_headers.cpp CONTENT "")
  add_library(herald_test_headers OBJECT ${CMAKE_BINARY_DIR}/test_headers.cpp)
  target_link_libraries(herald_test_headers PRIVATE herald_options GTest::gmock)
  target_compile_options(herald_test_headers PRIVATE -O0)
  target_precompile_headers(herald_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h> <string> <vector> <map> <optional>)
endfunction()

# herald_tests(FOLDER [LINKS target...] [APART folder...]): tests/FOLDER/**/*_test.cpp and helpers as one binary
# FOLDER_test, a slash being an underscore; folders below it that have a binary of their own are named as apart. What a linked library has is left to it.
function(herald_tests folder)
  cmake_parse_arguments(arg "" "" "LINKS;APART" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*.cpp)
  foreach(apart ${arg_APART})
    list(FILTER sources EXCLUDE REGEX "^${CMAKE_SOURCE_DIR}/tests/${folder}/${apart}/")
  endforeach()
  if(NOT sources)
    return()
  endif()
  foreach(link ${arg_LINKS})
    if(TARGET ${link})
      get_target_property(taken ${link} SOURCES)
      list(REMOVE_ITEM sources ${taken})
    endif()
  endforeach()
  string(REPLACE "/" "_" name ${folder}_test)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE herald_options ${arg_LINKS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE HERALD_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    HERALD_TEST_DATA="${HERALD_TEST_DATA}")
  # What is tested is optimised; the tests themselves are read once and gain nothing but waiting.
  target_compile_options(${name} PRIVATE -O0)
  target_precompile_headers(${name} REUSE_FROM herald_test_headers)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 LABELS unit)
endfunction()
