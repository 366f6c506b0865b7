/** How records are handed in (spec/recap.md). Apart from the schemas: phones load these words, and no library of schemas. */

export const cose_type = 'application/cose'
/** RFC 9052, section 11.3.1: what an envelope is. */
export const envelope_type = `${cose_type}; cose-type="cose-sign1"`
/** The public key that signed, beside a record whose phone nobody enrolled yet. */
export const key_header = 'recap-key'
/** Of `PUT /v1/recaps/{hash}/photos`: the list as it was hashed. */
export const list_type = 'application/cbor'
