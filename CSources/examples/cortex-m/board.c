/* board.c - an MPS2 with AN386 (Cortex-M4), as qemu has it: start, clock, serial line, console.
 *
 * Owns     the vector table and the registers below.
 * Source   "Arm Cortex-M4 Processor TRM"; "Application Note AN386", memory map; "Cortex-M System
 *          Design Kit TRM", APB UART and APB timer. */
#include "board.h"

#include "string.h"

enum { CLOCK_HZ = 25000000, MILLISECOND_NS = 1000000, LINE_BYTES = 256 };

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define SYSTICK_CONTROL REGISTER(0xE000E010u)
#define SYSTICK_RELOAD REGISTER(0xE000E014u)
#define SYSTICK_VALUE REGISTER(0xE000E018u)
#define NVIC_ENABLE REGISTER(0xE000E100u)
#define TIMER_CONTROL REGISTER(0x40000000u)
#define TIMER_VALUE REGISTER(0x40000004u)
#define TIMER_RELOAD REGISTER(0x40000008u)
#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u)
#define UART_CONTROL REGISTER(0x40004008u)
#define UART_INTERRUPT REGISTER(0x4000400Cu)
#define UART_DIVIDER REGISTER(0x40004010u)

enum { UART_SENDS = 1, UART_RECEIVES = 2, UART_RECEIVE_INTERRUPT = 8 }; /* control */
enum { UART_IS_FULL = 1, UART_HAS_BYTE = 2 };                           /* state   */
enum { UART_RECEIVED = 2 };                                             /* interrupt, as read */

/* ---- Start ---- */

#define PAINT 0xA5A5A5A5u

int main(void);
void reset(void);
void fault(void);
void tick(void);
void line_received(void);
uint32_t semihosting(uint32_t operation, const void *argument);

/* Of the linker script. The stack stands first in memory: what overflows it faults. */
extern uint32_t stack_bottom[];
extern uint32_t stack_top[];
extern uint32_t data_start[];
extern uint32_t data_end[];
extern const uint32_t data_image[];
extern uint32_t bss_start[];
extern uint32_t bss_end[];

typedef struct vectors {
    void *stack;
    void (*exceptions[15])(void);
    void (*interrupts[1])(void);
} vectors_t;

__attribute__((section(".vectors"), used)) const vectors_t vectors = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, tick},
    {line_received}, /* of UART 0 */
};

void reset(void) {
    for (uint32_t *word = stack_bottom; word < (uint32_t *)__builtin_frame_address(0) - 16;
         word++) {
        *(volatile uint32_t *)word = PAINT;
    }
    memcpy(data_start, data_image, (size_t)((uintptr_t)data_end - (uintptr_t)data_start));
    memset(bss_start, 0, (size_t)((uintptr_t)bss_end - (uintptr_t)bss_start));
    board_exit(main());
}

void fault(void) {
    board_print("fault\n");
    board_exit(2);
}

uint32_t board_stack_used_bytes(void) {
    const uint32_t *word = stack_bottom;
    while (word < stack_top && *word == PAINT) { word++; }
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)word);
}

/* ---- Console: semihosting ---- */

enum { SEMIHOSTING_WRITE_TEXT = 0x04, SEMIHOSTING_EXIT = 0x20, APPLICATION_EXIT = 0x20026 };

void board_print(const char *text) {
    (void)semihosting(SEMIHOSTING_WRITE_TEXT, text);
}

void board_print_bytes(const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const char text[2] = {(char)bytes[i], 0};
        board_print(text);
    }
}

void board_exit(int status) {
    const uint32_t argument[2] = {APPLICATION_EXIT, (uint32_t)status};
    (void)semihosting(SEMIHOSTING_EXIT, argument);
    for (;;) {}
}

/* ---- Clock ---- */

static volatile uint32_t milliseconds;

void tick(void) {
    milliseconds += 1;
}

void board_clock_start(void) {
    SYSTICK_RELOAD = CLOCK_HZ / 1000 - 1;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 7; /* on, with its interrupt, from the processor's clock */
}

/* The counter of 32 bits wraps after 49 days; main asks more often than that. */
uint64_t board_now_ns(void) {
    static uint64_t total_milliseconds;
    total_milliseconds += milliseconds - (uint32_t)total_milliseconds;
    return total_milliseconds * MILLISECOND_NS;
}

void board_sleep(void) {
    __asm__ volatile("wfi" : : : "memory");
}

/* ---- Serial line: a ring that the interrupt fills and main empties ---- */

static uint8_t line[LINE_BYTES];
static volatile uint32_t line_in;
static volatile uint32_t line_out;

void line_received(void) {
    UART_INTERRUPT = UART_RECEIVED;
    while ((UART_STATE & UART_HAS_BYTE) != 0) {
        if (line_in - line_out == LINE_BYTES) {
            UART_CONTROL = UART_SENDS | UART_RECEIVES; /* until there is room */
            return;
        }
        line[line_in % LINE_BYTES] = (uint8_t)UART_DATA;
        line_in += 1;
    }
}

void board_line_start(void) {
    UART_DIVIDER = 16; /* the fastest that it takes */
    UART_CONTROL = UART_SENDS | UART_RECEIVES | UART_RECEIVE_INTERRUPT;
    NVIC_ENABLE = 1;
}

bool board_line_read(uint8_t *byte_out) {
    if (line_in == line_out) {
        if ((UART_CONTROL & UART_RECEIVE_INTERRUPT) != 0) { return false; }
        UART_CONTROL = UART_SENDS | UART_RECEIVES; /* line_received gave up: go on for it */
        line_received();
        UART_CONTROL = UART_SENDS | UART_RECEIVES | UART_RECEIVE_INTERRUPT;
        if (line_in == line_out) { return false; }
    }
    *byte_out = line[line_out % LINE_BYTES];
    line_out += 1;
    return true;
}

void board_line_write(uint8_t byte) {
    while ((UART_STATE & UART_IS_FULL) != 0) {}
    UART_DATA = byte;
}

/* ---- Instructions ---- */

void board_count_start(void) {
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CONTROL = 1;
}

uint32_t board_count(void) {
    const uint64_t ticks = UINT32_MAX - TIMER_VALUE;
    return (uint32_t)(ticks * (1000000000u / CLOCK_HZ) / BOARD_INSTRUCTION_NS);
}
