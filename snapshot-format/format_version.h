/* The artifact format's version; SPEC.md names the same number, and a test compares the two. */
#ifndef SNAPCELL_FORMAT_VERSION_H
#define SNAPCELL_FORMAT_VERSION_H

#define SNAPCELL_FORMAT_VERSION 1

#endif
