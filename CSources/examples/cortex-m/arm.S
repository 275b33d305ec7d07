/* arm.S - what C cannot say: two calls with registers of their own. */
    .syntax unified
    .thumb

/* uint32_t semihosting(uint32_t operation, const void *argument): ask the debugger, or qemu.
 * Source   "Semihosting for AArch32 and AArch64", section 3. */
    .section .text.semihosting, "ax"
    .global semihosting
    .type semihosting, %function
    .thumb_func
semihosting:
    bkpt 0xab
    bx lr
    .size semihosting, . - semihosting

/* Quotient in r0 and r1, remainder in r2 and r3. */
    .section .text.__aeabi_uldivmod, "ax"
    .global __aeabi_uldivmod
    .type __aeabi_uldivmod, %function
    .thumb_func
__aeabi_uldivmod:
    push {r4, lr}
    sub sp, #16
    add r4, sp, #8
    str r4, [sp]
    bl libc_divide
    ldrd r2, r3, [sp, #8]
    add sp, #16
    pop {r4, pc}
    .size __aeabi_uldivmod, . - __aeabi_uldivmod
