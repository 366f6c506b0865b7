import type { Help } from './help-id.ts'

export const helpEn: Help = {
  of: 'Screen {n} of {all}', next: 'Next', back: 'Back', skipAll: 'Skip', done: 'Done',
  titles: ['One button, three answers', 'Duty and the locked screen', 'Without signal nothing is lost'],
  words: { send: 'Send now: the network is good enough.', wait: 'Wait where you are: waiting beats walking.', move: 'Move: it will not work here.' },
  check: ['Tap Check the network before you send. The answer comes within 10 seconds.', 'Below it stands the cause: the phone, the operator, the access point, the election server, or the Sigmon server.'],
  duty: ['Tap Start duty when the station opens, and End duty before you go home.', 'While on duty the phone measures by itself every few minutes, a few kilobytes only.', 'A locked phone does not measure. Leave Sigmon open, or turn on "Keep the screen on".', 'Battery nearly empty? Tap End duty. That is better than a phone that dies in silence.'],
  dutyShell: ['The screen may be off on duty: the app goes on measuring. Its notification shows that duty goes on.', 'So that the phone does not put it to sleep, choose "unrestricted" in the battery settings.'], batteryShell: 'Choose "unrestricted" for Sigmon in the battery settings of the phone.',
  offline: ['All that you measure and write is kept on this phone, and goes out by itself once there is a network.', 'Ready to send means that it waits for a network; Sent means that the server has it.', 'The screen Find signal shows the three nearest access points, also without a network.', 'If it still does not work, call the help number at the bottom of the screen, or save everything to a file in Data and settings.'],

  batteryIntro: 'Some brands end apps to save battery. Menu names differ between versions: look for something alike.', batteryAll: ['Turn off the battery saver while on duty.', 'Leave Sigmon open on the screen; turn on "Keep the screen on" in Duty.', 'Dim the screen, and plug in a charger or a power bank.'],
  brandTitle: 'The brand of your phone', brand: { samsung: 'Samsung', xiaomi: 'Xiaomi, Redmi, Poco', oppo: 'OPPO and realme', vivo: 'vivo and iQOO', infinix: 'Infinix, Tecno and itel', other: 'Another brand' },
  stepsTitle: 'The steps', appNote: 'If Sigmon is installed on the phone, change the settings of Sigmon. If not, those of your browser (for example Chrome).',
  steps: {
    samsung: ['Open Settings, then Battery (or Device care, Battery).', 'Open Background usage limits.', 'Open Never sleeping apps, tap +, and add the app.', 'See that the app is not among the Deep sleeping apps.'],
    xiaomi: ['Open Settings, then Apps, Manage apps, and choose the app.', 'Under Battery saver choose No restrictions.', 'Turn on Autostart.', 'Open the recent apps, hold the picture of the app, tap the lock.'],
    oppo: ['Open Settings, then Apps, App management, and choose the app.', 'Open Battery usage; turn on Allow background activity.', 'Turn on Allow auto launch.', 'In the recent apps open the menu with dots of the app, then Lock.'],
    vivo: ['Open Settings, then Battery.', 'Open Background power consumption management and choose the app.', 'Choose Do not restrict (or turn on High background power consumption).', 'Under Permissions, Autostart, turn the app on.'],
    infinix: ['Open Settings, then Battery (Power Marathon); turn the saving mode off.', 'Open Phone Master, then Auto-start management; turn the app on.', 'In Settings, Apps, choose the app, Battery, then Unrestricted.', 'In the recent apps lock the app.'],
    other: ['Open Settings, then Apps, and choose the app.', 'Open Battery; choose Unrestricted.', 'If there is an Autostart, turn it on.'],
  },
}
