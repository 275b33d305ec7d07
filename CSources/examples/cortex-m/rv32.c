/* rv32.c - the console of board.h for another machine of 32 bits: RISC-V in qemu's user mode, where
 * the emulator is the board. It has no line and no clock, which cluster and golden do without. */
#include "board.h"

enum { LINUX_WRITE = 64, LINUX_EXIT = 93, CONSOLE = 1 };

uint32_t linux_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c);

void board_print_bytes(const uint8_t *bytes, uint32_t count) {
    (void)linux_call(LINUX_WRITE, CONSOLE, (uint32_t)(uintptr_t)bytes, count);
}

void board_print(const char *text) {
    uint32_t count = 0;
    while (text[count] != 0) { count++; }
    board_print_bytes((const uint8_t *)text, count);
}

void board_exit(int status) {
    for (;;) { (void)linux_call(LINUX_EXIT, (uint32_t)status, 0, 0); }
}

/* Not painted: the stack is of the emulator's choice. */
uint32_t board_stack_used_bytes(void) {
    return 0;
}
