import type { Words } from './id.ts'

export const en: Words = {
  language: 'Bahasa Indonesia', title: 'Sigmon', station: 'Station', loading: 'Opening...',
  enrolTitle: 'Enrol this phone', code: 'Station code (13 digits)', letter: 'Code in the appointment letter', enrol: 'Enrol', enrolling: 'Enrolling...',
  enrolOffline: 'No connection to the server. Move to a place with signal, then try again.', fault: 'The server refused:',
  enrolAgain: 'The server no longer knows this phone. Enrol it again; {n} checks that are not sent yet stay on it.',
  sameStation: '{n} checks of this station are not sent yet, so this phone stays with it.',
  simTitle: 'SIM card in use', simOther: 'Other / unknown', simWhy: 'A web page cannot read the operator or the signal strength (dBm). So you choose.',
  check: 'Check the network', checking: 'Checking', cost: 'Costs about {kb} kB',
  send: 'SEND', wait: 'WAIT', move: 'MOVE',
  fine: 'The network is good. Go ahead and send.', slow: 'The network is slow. Small data gets through; wait with photos.', lossy: "Much does not arrive: your operator's network is disturbed here.",
  phone_offline: 'Your phone is not connected. Check flight mode and mobile data, or move.', no_answer: 'No answer: there is not enough signal here.',
  platform: 'There is internet; the Sigmon server does not answer. Neither your phone nor your operator is at fault.', election_server: 'Your network is good; the election server does not answer. No need to move.',
  rtt: 'Round-trip time', downLabel: 'Download', upLabel: 'Upload', unknown: 'unknown', lost: '{n} did not answer',
  startDuty: 'Start duty', endDuty: 'End duty', onDuty: 'On duty. Next report {at}.', offDuty: 'Not on duty yet.',
  lockNote: 'A locked phone or a closed app does not measure. Leave this screen open.',
  waiting: 'Ready to send', sent: 'Sent', refused: 'Failed', sendNow: 'Send now', sendFail: 'Not sent yet: {why}. It tries again by itself; nothing is lost.',
  whyOffline: 'no connection', whyBusy: 'the server is full just now', whyStatus: 'the server answered {status}',
  last: 'Last checks', none: 'No checks yet.', help: 'Cannot enrol? Call the PPS of your village.',
}
