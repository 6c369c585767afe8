# CTest: every test runs under reel check.
#
#     include(ReelCheck.cmake)      # before add_test()
#     cmake -B build -DREEL_CHECK=ON && ctest --test-dir build
#
# A test that deadlocks fails within seconds. Reports are written to build/reel/, one a test.
option(REEL_CHECK "Run tests under reel check" OFF)
if(REEL_CHECK)
  find_program(REEL reel REQUIRED)
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/reel")
  set(reel_launcher "${REEL}" check -q "--format=junit=${CMAKE_BINARY_DIR}/reel/%n-%p.xml"
      "--trace=${CMAKE_BINARY_DIR}/reel/%n-%p.reel" --)
  if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.29)
    set(CMAKE_TEST_LAUNCHER ${reel_launcher})
  else()
    # Before there were launchers: what runs the programs of another machine does as well.
    set(CMAKE_CROSSCOMPILING_EMULATOR ${reel_launcher})
  endif()
endif()
