import { Type, type Static } from 'typebox'

/** `GET /v2/nearest/ndt/ndt7`, in the form of M-Lab's Locate API v2: addresses with a token each, good for 60 s and one test. */
export const Located = Type.Object({
  results: Type.Array(Type.Object({
    machine: Type.String(),
    location: Type.Object({ country: Type.String() }),
    urls: Type.Record(Type.String(), Type.String(), { description: '`wss:///ndt/v7/download` and `wss:///ndt/v7/upload`, or with `ws`, to the address of each; its query has `access_token`, and `bytes_max` as the token has it' }),
  }), { minItems: 1, maxItems: 1 }),
})
export type Located = Static<typeof Located>
