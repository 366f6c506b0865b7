/**
 * What each role may do. The database's row-level security reads this same table (copied into
 * `access_rule` when the server starts), so that there is one source and one wall.
 */
type Scope = 'all' | 'own'
interface Rule {
  readonly role: Role
  readonly resource: Resource
  readonly action: 'read' | 'write'
  readonly scope: Scope
}

export const roles = ['system', 'duty_officer', 'planner', 'auditor', 'association', 'noc', 'access_operator', 'helpdesk'] as const
export type Role = (typeof roles)[number]

export const resources = ['report', 'disturbance', 'ticket', 'ticket_event', 'hub', 'access_point', 'staff', 'login_link', 'session', 'api_key', 'claim', 'radio_sample', 'atlas', 'challenge', 'plan', 'decision', 'officer_problem', 'segment', 'rollup', 'alarm', 'planned_work', 'contact', 'message', 'audit', 'announcement', 'announcement_receipt', 'passkey', 'comment', 'push_subscription', 'peer', 'recap', 'sample', 'witness', 'comparison', 'supervisor_letter', 'android_package'] as const
export type Resource = (typeof resources)[number]

function grant(role: Role, scope: Scope, actions: Partial<Record<Resource, string>>): Rule[] {
  return Object.entries(actions).flatMap(([resource, letters]) =>
    [...letters].map((letter): Rule => ({ role, resource: resource as Resource, action: letter === 'r' ? 'read' : 'write', scope })),
  )
}

/**
 * r reads, w writes. What is not listed is refused: how a peer is called is the system's alone to know. Nobody but the system
 * writes the audit; Bawaslu and the monitoring centre read all of it, everybody else what was done in their own name. Passkeys
 * and sessions are a person's own, and of no role: the database walls them by person. Of a comment the owner is whose
 * disturbance it is about.
 */
export const rules: readonly Rule[] = [
  ...grant('system', 'all', Object.fromEntries(resources.map((resource) => [resource, 'rw']))),
  // The ministry's monitoring centre.
  ...grant('duty_officer', 'all', { report: 'r', rollup: 'r', disturbance: 'rw', ticket: 'rw', ticket_event: 'rw', access_point: 'r', claim: 'rw', radio_sample: 'rw', atlas: 'r', challenge: 'rw', plan: 'r', decision: 'r', alarm: 'r', planned_work: 'rw', contact: 'r', message: 'r', audit: 'r', announcement: 'r', announcement_receipt: 'r', comment: 'rw', recap: 'r', sample: 'r', witness: 'r', comparison: 'r' }),
  ...grant('duty_officer', 'own', { contact: 'w', api_key: 'rw', announcement: 'w', announcement_receipt: 'w', push_subscription: 'rw' }),
  // KPU plans stations: it sees disturbances and access points, and of the tickets its election server's own.
  ...grant('planner', 'all', { disturbance: 'r', access_point: 'r', claim: 'r', radio_sample: 'r', atlas: 'r', challenge: 'rw', plan: 'rw', decision: 'rw', comment: 'rw', recap: 'r', sample: 'r', comparison: 'r' }),
  ...grant('planner', 'own', { ticket: 'rw', ticket_event: 'rw', hub: 'rw', contact: 'rw', message: 'r', api_key: 'rw', audit: 'r', announcement: 'rw', announcement_receipt: 'rw', push_subscription: 'rw' }),
  // Bawaslu reads everything about the service, writes nothing but challenges of its own, and writes nothing but challenges and audits by sample ofalone issues its supervisors' letters.
  ...grant('auditor', 'all', { report: 'r', rollup: 'r', disturbance: 'r', ticket: 'r', ticket_event: 'r', access_point: 'r', claim: 'r', radio_sample: 'r', atlas: 'r', challenge: 'r', plan: 'r', decision: 'r', alarm: 'r', planned_work: 'r', contact: 'r', message: 'r', audit: 'r', announcement: 'r', announcement_receipt: 'r', comment: 'r', recap: 'r', sample: 'r', witness: 'r', comparison: 'r' }),
  ...grant('auditor', 'own', { challenge: 'w', sample: 'w', supervisor_letter: 'rw', api_key: 'rw', announcement_receipt: 'w', push_subscription: 'rw' }),
  // APJII coordinates: it reads whom to reach at each member; a member's faults and tickets are the member's own.
  ...grant('association', 'own', { disturbance: 'r', ticket: 'r', ticket_event: 'r', challenge: 'rw', api_key: 'rw', audit: 'r', announcement: 'rw', announcement_receipt: 'rw', comment: 'rw', push_subscription: 'rw' }),
  ...grant('association', 'all', { contact: 'r' }),
  // The network operations centre of an operator or an ISP: its own and nobody else's.
  ...grant('noc', 'own', { report: 'r', rollup: 'r', disturbance: 'r', ticket: 'rw', ticket_event: 'rw', hub: 'rw', staff: 'r', api_key: 'rw', claim: 'rw', radio_sample: 'r', atlas: 'r', challenge: 'rw', alarm: 'rw', planned_work: 'rw', contact: 'rw', message: 'r', audit: 'r', announcement: 'r', announcement_receipt: 'rw', comment: 'rw', push_subscription: 'rw' }),
  // BAKTI runs the access points.
  ...grant('access_operator', 'own', { disturbance: 'r', ticket: 'rw', ticket_event: 'rw', hub: 'rw', access_point: 'rw', staff: 'r', claim: 'r', challenge: 'rw', alarm: 'rw', planned_work: 'rw', contact: 'rw', message: 'r', api_key: 'rw', audit: 'r', announcement: 'r', announcement_receipt: 'rw', comment: 'rw', push_subscription: 'rw' }),
  ...grant('access_operator', 'all', { atlas: 'r', plan: 'r' }),
  // Of recaps its officers' in its area: the database bounds them.
  ...grant('helpdesk', 'all', { disturbance: 'r', access_point: 'r', atlas: 'r', plan: 'r', decision: 'r', comment: 'rw', recap: 'r' }),
  // What officers report goes to the helpdesk of their area.
  ...grant('helpdesk', 'own', { challenge: 'rw', ticket: 'rw', ticket_event: 'rw', hub: 'rw', contact: 'rw', message: 'r', api_key: 'rw', audit: 'r', announcement: 'r', announcement_receipt: 'rw', push_subscription: 'rw' }),
]

/** How far a role's permission reaches; null when it has none. */
export function scopeOf(role: string, resource: Resource, action: Rule['action']): Scope | null {
  return rules.find((rule) => rule.role === role && rule.resource === resource && rule.action === action)?.scope ?? null
}

/** The role that somebody of an organisation of this kind logs in with. */
export const roleOfKind: Readonly<Record<string, Role>> = {
  ministry: 'duty_officer',
  kpu: 'planner',
  bawaslu: 'auditor',
  apjii: 'association',
  bakti: 'access_operator',
  operator: 'noc',
  isp: 'noc',
  helpdesk: 'helpdesk',
  system: 'system',
}
