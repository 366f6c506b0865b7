// The same package with Google's own tools (Android Studio, R8), for whoever publishes in a store. `npm run android -- --no-test --origin
// https://HOST` comes before it: it makes build/assets and build/AndroidManifest.xml, which this takes. Never run by the project's own tests,
// which need no Android SDK: see docs/operating/android.md.
plugins {
  id("com.android.application") version "8.13.0"
}

android {
  namespace = "kawal.sinyal.sigmon"
  compileSdk = 37
  defaultConfig {
    applicationId = "kawal.sinyal.sigmon"
    minSdk = 24
    targetSdk = 37
    versionCode = (findProperty("versionCode") as String? ?: "1").toInt()
    versionName = findProperty("versionName") as String? ?: "0.1.0"
  }
  compileOptions {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
  }
  sourceSets["main"].apply {
    manifest.srcFile("build/AndroidManifest.xml")
    java.srcDirs("src/main/java")
    res.srcDirs("res")
    assets.srcDirs("build/assets")
  }
}
