/* board.h - all that the examples want of a board; board.c has it for the MPS2 with AN386.
 *
 * Threads  main alone; interrupts touch what board.c keeps for itself. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

/* Print to the debugger's console; a number in decimal. */
void board_print(const char *text);
void board_print_bytes(const uint8_t *bytes, uint32_t count);
void board_print_number(uint64_t number);

/* End the program with that status, for the debugger to pass on. */
__attribute__((noreturn)) void board_exit(int status);

/* Time since the clock was started, in steps of a millisecond; and sleep for what is left of one,
 * or until a byte comes. */
void board_clock_start(void);
uint64_t board_now_ns(void);
void board_sleep(void);

/* The serial line: bytes in, false if there are none, and bytes out. */
void board_line_start(void);
bool board_line_read(uint8_t *byte_out);
void board_line_write(uint8_t byte);

/* Instructions that were executed so far, where the emulator makes one of them last as long as
 * BOARD_INSTRUCTION_NS (qemu-system-arm -icount shift=10). */
#define BOARD_INSTRUCTION_NS 1024u
void board_count_start(void);
uint32_t board_count(void);

/* Bytes of the stack that were ever in use: those that reset painted and that are so no more; 0
 * where nothing is painted. */
uint32_t board_stack_used_bytes(void);

#endif
