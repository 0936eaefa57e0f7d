#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Kubernetes control plane for tests, made of Debian's packages alone: kube-apiserver and
# kube-controller-manager compiled from the source package `kubernetes` (which itself ships only kubectl),
# etcd and kubectl unpacked. Nothing is installed. The result is kept outside the tree, by release and by
# what this file says, so it is built once per machine: about 4 minutes on 2 cores.
#
#   server.sh path     print the folder of the programs; exit 1 when they are not built yet
#   server.sh build    build them unless they are there, then print the folder (needs Debian's mirror)
set -euo pipefail

release=1.20.2
# The tests start programs from the cache as root: keep others from writing there.
cache=${HERALD_KUBERNETES_CACHE:-/var/cache/herald/kubernetes}
recipe=$(sha256sum "${BASH_SOURCE[0]}" | cut -c 1-12)
programs=$cache/$release-$recipe
workshop=$cache/build-$recipe

say() { printf 'kubernetes: %s\n' "$*" >&2; }

# apt with lists of its own: the source packages of every mirror that the machine already uses are
# readable, and neither the machine's lists nor its sources change.
apt_sources() {
  local file
  mkdir -p "$workshop"/apt/{sources,lists/partial,cache/archives/partial}
  for file in /etc/apt/sources.list.d/*.sources; do
    [ ! -e "$file" ] || sed 's/^Types:.*/Types: deb deb-src/' "$file" >"$workshop/apt/sources/${file##*/}"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -s "$file" ] || sed -n 'p; s/^deb\([[:space:]]\)/deb-src\1/p' "$file" >"$workshop/apt/sources/${file##*/}"
  done
}

apt() {
  apt-get -qq -o APT::Sandbox::User="$(id -un)" \
    -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$workshop/apt/sources" \
    -o Dir::State::lists="$workshop/apt/lists" -o Dir::Cache="$workshop/apt/cache" "$@"
}

fetch() {
  say "fetching Debian's source of Kubernetes $release, Go 1.19, etcd and kubectl"
  apt_sources
  apt update >&2
  mkdir -p "$workshop"/{packages,unpacked,source}
  (
    cd "$workshop/packages"
    apt download golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev \
      etcd-server etcd-client kubernetes-client >&2
    for package in *.deb; do dpkg -x "$package" "$workshop/unpacked"; done
    apt source --download-only kubernetes >&2
    # Named 1.20.5+really1.20.2: Debian went back once.
    compgen -G "kubernetes_*$release.orig.tar.*" >/dev/null \
      || { say "Debian's source package is not $release any more: this recipe needs a look"; exit 1; }
    # Debian's patches change kubectl only, so upstream's tarball is what is compiled.
    tar -xf kubernetes_*"$release".orig.tar.* -C "$workshop/source" --strip-components=1
  )
}

# Go before modules: the tree has to lie at its import path.
go_environment() {
  export GOROOT=$workshop/unpacked/usr/lib/go-1.19 GOPATH=$workshop/gopath GOCACHE=$workshop/gocache
  export GO111MODULE=off CGO_ENABLED=0 GOFLAGS='' PATH="$workshop/unpacked/usr/lib/go-1.19/bin:$PATH"
  mkdir -p "$GOPATH/src/k8s.io"
  ln -sfn "$workshop/source" "$GOPATH/src/k8s.io/kubernetes"
  cd "$GOPATH/src/k8s.io/kubernetes"
}

# The vendored reflect2 reads Go's map internals as they were before Go 1.18; the server would die on its
# first custom resource. Debian's newer one is right for its compiler.
replace_reflect2() {
  rm -rf vendor/github.com/modern-go/reflect2
  cp -r "$workshop/unpacked/usr/share/gocode/src/github.com/modern-go/reflect2" vendor/github.com/modern-go/
}

# One generated file is not part of the source package: the OpenAPI definitions of all types.
generate_openapi() {
  local tagged folder inputs=()
  say "generating OpenAPI definitions"
  go build -p "$(nproc)" -o "$workshop/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  tagged=$(grep -rl --include='*.go' -e '+k8s:openapi-gen=' pkg cmd staging/src/k8s.io)
  while read -r folder; do
    case $folder in
      staging/src/k8s.io/code-generator/* | staging/src/k8s.io/sample-apiserver/* | *testdata*) ;;
      staging/src/*) inputs+=("k8s.io/kubernetes/vendor/${folder#staging/src/}") ;;
      *) inputs+=("k8s.io/kubernetes/$folder") ;;
    esac
  done < <(grep -v -e '_test\.go$' -e 'zz_generated' <<<"$tagged" | xargs -n 1 dirname | sort -u)
  "$workshop/openapi-gen" --logtostderr --input-dirs "$(IFS=,; printf '%s' "${inputs[*]}")" \
    --output-package k8s.io/kubernetes/pkg/generated/openapi --output-file-base zz_generated.openapi \
    --go-header-file hack/boilerplate/boilerplate.generatego.txt --report-filename "$workshop/openapi-violations" >&2
}

compile() { # PROGRAM...
  local package flags='-s -w' program
  # /version is answered from client-go's copy, logs and metrics from component-base's.
  for package in component-base/version client-go/pkg/version; do
    package=k8s.io/kubernetes/vendor/k8s.io/$package
    flags+=" -X $package.gitVersion=v$release -X $package.gitMajor=1 -X $package.gitMinor=20"
  done
  for program; do
    say "compiling $program"
    go build -p "$(nproc)" -trimpath -tags providerless -ldflags "$flags" -o "$workshop/bin/$program" "./cmd/$program"
  done
}

build() {
  mkdir -p "$workshop/bin"
  fetch
  (
    go_environment
    replace_reflect2
    generate_openapi
    compile kube-apiserver kube-controller-manager
  )
  cp "$workshop"/unpacked/usr/bin/{etcd,etcdctl,kubectl} "$workshop/bin/"
  # The name appears when everything is there, so an interrupted build is never taken for one.
  mv -T "$workshop/bin" "$programs"
  chmod -R u+w "$workshop"
  rm -rf "$workshop"
  say "built in $programs"
}

case ${1:-} in
  path) [ -d "$programs" ] || exit 1 ;;
  build)
    mkdir -p "$cache"
    # Two runs at once wait for each other and build once.
    exec 9>"$cache/lock"
    flock 9
    if [ ! -d "$programs" ]; then build; fi
    ;;
  *) sed -n '/^#   /s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
printf '%s\n' "$programs"
