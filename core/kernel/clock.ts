/** Milliseconds since 1970-01-01T00:00:00Z. The core never reads a clock: an instant is an argument. */
export type Instant = number

export const second_ms = 1_000
export const minute_ms = 60_000
export const hour_ms = 3_600_000
