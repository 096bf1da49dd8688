#!/bin/sh
# The libraries that Qt and VTK load from the system, for the panel tests without a display; with the
# word "programs" also the programs that only `make test-all` starts.
# Installs what is missing where this is Debian or Ubuntu and we are root; else names it.
set -eu

[ "$(uname -s)" = Linux ] || exit 0

missing=""
need() { # library, package
    PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q "$1" || missing="$missing $2"
}
need libGL.so.1 libgl1
need libEGL.so.1 libegl1
need libEGL_mesa.so.0 libegl-mesa0
need libGLX_mesa.so.0 libglx-mesa0
need libOpenGL.so.0 libopengl0
need libX11.so.6 libx11-6
need libXrender.so.1 libxrender1
need libxkbcommon.so.0 libxkbcommon0
need libdbus-1.so.3 libdbus-1-3
need libfontconfig.so.1 libfontconfig1
need libglib-2.0.so.0 libglib2.0-0
needs_program() { # program, package
    PATH="$PATH:/sbin:/usr/sbin" command -v "$1" >/dev/null || missing="$missing $2"
}
if [ "${1:-}" = programs ]; then
    needs_program dciodvfy dicom3tools # judges DICOM objects
    needs_program openssl openssl # makes a certificate
    needs_program Orthanc orthanc # an archive that stores them
    needs_program /usr/share/orthanc/plugins/libOrthancDicomWeb.so orthanc-dicomweb
    needs_program chromium chromium # opens the page of a cohort
    needs_program sshd openssh-server # another computer, on this one
    needs_program ssh openssh-client
fi
[ -d /usr/share/fonts/truetype ] || missing="$missing fonts-dejavu-core"

[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    # RUNLEVEL: invoke-rc.d then starts no service; tests start their own, on loopback.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing >/dev/null
else
    echo "The panel tests need these Debian packages (or the like elsewhere):$missing" >&2
fi
