package androidx.test.internal.platform.os;

/** See InstrumentationRegistry. */
public interface ControlledLooper {}
