/* rv32.S - a program for qemu-riscv32: its start, and a call of the emulated Linux.
 * Source   "RISC-V ABIs Specification", calling convention; Linux, arch/riscv. */
    .section .text.start, "ax"
    .global _start
    .type _start, %function
_start:
    call main
    tail board_exit
    .size _start, . - _start

/* uint32_t linux_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c) */
    .section .text.linux_call, "ax"
    .global linux_call
    .type linux_call, %function
linux_call:
    mv a7, a0
    mv a0, a1
    mv a1, a2
    mv a2, a3
    ecall
    ret
    .size linux_call, . - linux_call
