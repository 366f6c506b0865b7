import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choicesOf, factTables } from './atlas.ts'

const layers = [{ operator: 'indosat', technology: 'lte' as const }, { operator: 'telkomsel', technology: 'gsm' as const }, { operator: 'telkomsel', technology: 'lte' as const }]

test('the best of all operators is offered to who may read all, and where there are several', () => {
  assert.deepEqual(choicesOf({ layers }, null, true), { operators: ['any', 'indosat', 'telkomsel'], technologies: ['any', 'gsm', 'lte'] })
  assert.deepEqual(choicesOf({ layers }, 'indosat', true).technologies, ['lte'])
  assert.deepEqual(choicesOf({ layers: layers.slice(1) }, null, false), { operators: ['telkomsel'], technologies: ['any', 'gsm', 'lte'] })
})

test('every fact of an edition is in some table, whatever its form; of a layer the record of its claim stands first', () => {
  const facts = {
    weights: { claimed: 0.6 }, villages_by_disc: 12,
    layers: [
      { operator: 'xl', technology: 'lte', sources: [{ claim: 1, file: 'a.gpkg' }], sites: 3, record: { tested_cells: 40, over_claim_rate: 0.3 }, cells: { known: 9 } },
      { operator: 'indosat', technology: 'lte', sources: [], sites: 0, record: null, cells: { known: 2 } },
    ],
  }
  assert.deepEqual(factTables(facts), [
    { name: 'layers', columns: ['operator', 'technology', 'over_claim_rate', 'tested_cells', 'known', 'sites'], rows: [['xl', 'lte', 0.3, 40, 9, 3], ['indosat', 'lte', null, null, 2, 0]] },
    { name: 'sources', columns: ['operator', 'technology', 'claim', 'file'], rows: [['xl', 'lte', 1, 'a.gpkg']] },
    { name: 'weights', columns: ['name', 'value'], rows: [['claimed', 0.6]] },
    { name: 'counts', columns: ['name', 'value'], rows: [['villages_by_disc', 12]] },
  ])
  assert.deepEqual(factTables(facts, ['indosat']).find((table) => table.name === 'layers')?.rows, [['indosat', 'lte', 2, 0, null]])
  assert.deepEqual([factTables(null), factTables([1])], [[], []])
})
