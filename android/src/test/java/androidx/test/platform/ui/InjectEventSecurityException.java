package androidx.test.platform.ui;

/** See InstrumentationRegistry. */
public final class InjectEventSecurityException extends Exception {}
