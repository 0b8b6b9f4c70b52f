/* The base blob as read-only data. With 64-byte alignment, so that copies out of it are aligned. */
    .section .rodata.snapcell_base_blob, "a", @progbits
    .balign 64
    .globl engine_base_blob_begin
    .globl engine_base_blob_end
    .hidden engine_base_blob_begin
    .hidden engine_base_blob_end
engine_base_blob_begin:
#ifdef SNAPCELL_BASE_BLOB
    .incbin SNAPCELL_BASE_BLOB
#endif
engine_base_blob_end:
    .byte 0
    .balign 8
    .globl engine_base_blob_first_size
    .hidden engine_base_blob_first_size
engine_base_blob_first_size:
#ifdef SNAPCELL_BASE_BLOB
    .include SNAPCELL_BASE_BLOB_FIRST
#else
    .quad 0
#endif
    .section .note.GNU-stack, "", @progbits
