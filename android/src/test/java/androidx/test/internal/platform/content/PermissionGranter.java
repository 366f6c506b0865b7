package androidx.test.internal.platform.content;

/** See InstrumentationRegistry. */
public interface PermissionGranter {}
