/* number.c - numbers on the console, in decimal. */
#include "board.h"

void board_print_number(uint64_t number) {
    char digits[21];
    uint32_t at = sizeof digits - 1;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    board_print(digits + at);
}
