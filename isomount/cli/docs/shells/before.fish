function _isomount_options
  set -l before (string match -r '.*,' -- (commandline -ct))
  for each in @OPTIONS@
    echo "$before$each"
  end
end

function _isomount_mounted
  set -l mounted (findmnt -nlo TARGET -t fuse.isomount)
  string join \n -- $mounted
  string replace -f -- "$PWD/" "" $mounted # as seen from here
end
