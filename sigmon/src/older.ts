/** What a library asks of a browser that is newer than the oldest that we serve: Object.hasOwn came with Chromium 93. Imported before the rest. */
Object.hasOwn ??= (of: object, name: PropertyKey): boolean => Object.prototype.hasOwnProperty.call(of, name)
