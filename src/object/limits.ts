/** Every bound on what an object may ask of the reader, in one place. Generous beyond any object that Linux would take. */

/** Bounds of {@link import('./object.js').parseObject}. */
export const objectLimits = {
  /** Instructions of one linked program (the kernel's own bound for a privileged loader). */
  programInsns: 1_000_000,
  /** Instructions of all linked programs together. */
  linkedInsns: 2_000_000,
  /** Bytes of all global data together: `.bss` occupies nothing in the file, so a small file could ask for any amount. */
  globalData: 64 << 20,
  /** Length of a `.kconfig` string in bytes. */
  kconfigString: 4096,
} as const
