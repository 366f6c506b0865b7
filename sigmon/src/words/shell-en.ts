import type { ShellWords } from './shell-id.ts'

export const shellEn: ShellWords = {
  ageSeconds: '{n} s ago', ageMinutes: '{n} min ago', ageUnknown: 'age unknown', notCounted: 'not counted', unread: 'not read', dataSim: 'data SIM', sim: 'SIM no. {n}', details: 'Details', readAt: 'Read {at}.',
  technology: { gsm: 'GSM (2G)', umts: 'UMTS (3G)', lte: 'LTE (4G)', nr: 'NR (5G)' }, noCell: 'registered in no cell', secondCell: 'Further cell', heardCells: 'Neighbouring cells heard', simOf: 'Card of {operator}', network: 'Network of {operator}', below: 'below {value}', nonsense: '{value}: cannot be, not used',
  airplane: 'Aeroplane mode is on: there is no signal. Turn it off.', mock: "An app makes up the phone's position. Turn mock location off in the developer options; do not send the station's position from this phone.", dataUnknown: 'The phone does not say which SIM carries data, so no value counts.', staleNote: 'These values are old: the phone has not heard its cell again. Not counted.', notRegistered: 'The phone is registered in no network here.',
  gap: {
    permission: 'Location is not allowed yet: without it Android gives no signal strength.', location_off: 'Location (GPS) of the phone is off: without it Android gives no signal strength.', no_sim: 'No SIM card can be read.', no_modem: 'This phone has no cellular modem.', modem_off: 'The cellular modem is off. Turn on mobile data, or turn off aeroplane mode.', no_answer: 'The phone did not answer when asked for its signal. Try again in a while.',
  },
  allow: 'Allow', openApp: 'Open the app settings', openLocation: 'Turn on location', openBattery: 'Open the battery settings', skip: 'Go on without', stepOf: 'Before you start: {n} of {all}',
  step: {
    location: 'Location: without it the signal strength cannot be read. Your position is neither read nor sent; Android gives the signal strength only with this permission.', precise: 'Choose "precise" location: without it Android gives no signal strength.', locationOn: 'Location (GPS) of the phone is off: while it is, the signal strength cannot be read.',
    notifications: 'Notifications: so that you see that duty goes on, and can end it without opening the app.', battery: 'Battery saver: this phone may put Sigmon to sleep. Choose "unrestricted", so that reports stay on time.',
  },
  screenOff: 'The screen may be off and other apps may be open: this phone goes on measuring and reporting.', unreadNote: 'Location was refused. Duty goes on, but this cannot be known: signal strength, technology (4G, 5G), and the operator of the SIM.',
  waitsNote: 'Duty in the background begins by itself once the server has checked this enrolment. Until then leave this screen open.', faultNote: 'Duty in the background does not work on this phone. Sigmon measures while this screen is open. It said: {fault}', silentNote: 'The app does not answer; what stands here may be old. Open the app again. It said: {fault}',
  over: { lost: 'The app no longer knows of the duty that was going on (it may have been installed anew). Tap Start duty if you are still on duty.', ended: 'Duty is over: by its notification, or by itself after 18 hours. Tap Start duty if you are still on duty.' },
  held: { battery: 'The battery is nearly empty: measuring stops until the phone is charged. What is left is for the recap.', budget: "Today's data limit is used up: nothing is sent until tomorrow. Send now still sends what waits.", token: 'The server refuses this phone. Sigmon enrols again by itself; if this stays, scan the letter again.', block: 'The report numbers are used up; Sigmon gives new ones.' },
  gapOn: 'Reports go out without signal strength.',

  appTitle: 'The app on this phone', radioSent: 'This app also reads signal strength, technology and operator; these go along with reports. Numbers of cells stay on the phone.', version: 'Release', fingerprint: 'Fingerprint of the file (SHA-256)', certificate: "Signer's certificate", system: 'System', unsaid: 'The app does not say its version.',
  notPublished: 'This platform hands out no app.', publishedUnknown: 'What the platform publishes is not known yet; it is asked again when there is a network.', same: 'The same as published, in the ledger as no. {n}.', sameUnlogged: 'The same as published; not in the ledger yet.', ahead: 'Newer than what the platform publishes (release {version}).',
  newer: 'There is a new version: {version}.', newerOpen: 'Open the download page', other: 'WARNING: the file of this app differs from what the platform publishes for the same version. Do not use it for recaps; call a help line.', otherSigner: 'WARNING: this app was signed by somebody else than the platform publishes. Do not use it for recaps; call a help line.',
  saved: 'Saved.', notSaved: 'Not saved yet. Try again.',
  feelRadio: 'Walk slowly with the phone in your hand. The signal strength (dBm) is read each second: the nearer to zero, the stronger. The network is tried now and then. It stops by itself after 5 minutes.', feelUnread: 'The signal strength cannot be read; only response times are compared.', feelNeighbours: 'Hears {n} cells.',
}
