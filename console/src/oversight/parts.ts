import type { Component } from 'svelte'

/** What can be looked at, each a chunk of its own; the address has it under `keadaan`, and the one thing of it that is looked at under `butir`. */
export const parts = {
  ledger: () => import('./Ledger.svelte'),
  witnesses: () => import('./Witnesses.svelte'),
  completeness: () => import('./Completeness.svelte'),
  comparison: () => import('./Comparison.svelte'),
  sample: () => import('./Sample.svelte'),
  acts: () => import('./Acts.svelte'),
  knowledge: () => import('./Knowledge.svelte'),
} as const satisfies Readonly<Record<string, () => Promise<{ default: Component }>>>
type Part = keyof typeof parts
export const partNames = Object.keys(parts) as readonly Part[]
export const partOf = (state: string | null): Part => partNames.find((part) => part === state) ?? 'ledger'
