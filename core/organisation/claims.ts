import { fail, ok, type Result } from '../kernel/result.ts'

/** What a provider says of somebody: the claims of OpenID Connect. */
export type Claims = Readonly<Record<string, unknown>>

/** Which organisation somebody of a provider belongs to. */
interface OrganisationMap {
  /** All of the provider's people are of this one. */
  readonly organisation?: string
  /** Else the claim that tells: a text or a list of texts. Of `email` the domain counts. */
  readonly organisationClaim?: string
  /** What the claim says, and which organisation that is. What is not listed is nobody's. */
  readonly organisations?: Readonly<Record<string, string>>
}

type ClaimFault = 'no_organisation' | 'several_organisations' | 'email_not_verified'

/** An address that nobody verified is what its owner typed: it makes nobody a member of anything. */
export function organisationOf({ organisation, organisationClaim = '', organisations = {} }: OrganisationMap, claims: Claims): Result<string, ClaimFault> {
  if (organisation !== undefined) return ok(organisation)
  if (organisationClaim === 'email' && claims['email_verified'] !== true) return fail('email_not_verified')
  const said = [claims[organisationClaim]].flat().filter((value) => typeof value === 'string').map((value) => (organisationClaim === 'email' ? value.replace(/^.*@/s, '').toLowerCase() : value))
  const [found, ...others] = new Set(said.flatMap((value) => (Object.hasOwn(organisations, value) ? [organisations[value] ?? ''] : [])))
  if (found === undefined) return fail('no_organisation')
  return others.length > 0 ? fail('several_organisations') : ok(found)
}

const name_chars_max = 100

/** What to call somebody: his name, else what comes nearest to one. */
export function nameOf(claims: Claims, nameClaim = 'name'): string {
  const named = [nameClaim, 'preferred_username', 'email', 'sub'].map((claim) => claims[claim]).find((value) => typeof value === 'string' && value.trim() !== '')
  return String(named).trim().slice(0, name_chars_max)
}
