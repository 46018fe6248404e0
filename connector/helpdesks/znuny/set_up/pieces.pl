#!/usr/bin/perl
# What Escalator needs in Znuny: looked at, made or taken away. Run in Znuny's home by Znuny's own user:
#
#   perl -I. -IKernel/cpan-lib THIS look | make NAME | make | remove NAME | remove
#
# What is wanted stands as JSON behind __DATA__; the answer is JSON on stdout.
use strict;
use warnings;
use Kernel::System::ObjectManager;
use Kernel::System::VariableCheck qw(:all);

local $Kernel::OM = Kernel::System::ObjectManager->new( 'Kernel::System::Log' => { LogPrefix => 'Escalator-set-up' } );
my $O      = sub { $Kernel::OM->Get("Kernel::System::$_[0]") };
my $Config = $Kernel::OM->Get('Kernel::Config');
my $Wanted = do { local $/; $O->('JSON')->Decode( Data => scalar <main::DATA> ) } or die "no wish list\n";
my @By     = ( UserID => 1, ChangeUserID => 1 );
my ( $Valid, $Invalid ) = ( 1, 2 );
my @Rights = qw(rw);

sub must { my ( $What, $Done ) = @_; die "Znuny refused: $What\n" if !$Done; return $Done; }

# --- values as texts, so that 1 and "1" are the same ---
sub plain {
    my $Value = shift;
    return { map { $_ => plain( $Value->{$_} ) } keys %{$Value} } if ref $Value eq 'HASH';
    return [ map { plain($_) } @{$Value} ] if ref $Value eq 'ARRAY';
    return defined $Value ? "$Value" : '';
}
sub same { return $O->('JSON')->Encode( Data => plain( $_[0] ), SortKeys => 1 ) eq $O->('JSON')->Encode( Data => plain( $_[1] ), SortKeys => 1 ) }

# --- Escalator's own agent ---
my $Login = $Wanted->{login};
sub agent { my %User = $O->('User')->GetUserData( User => $Login ); return %User ? \%User : undef }

sub queue_groups {
    my %Queues = $O->('Queue')->QueueList( Valid => 1 );
    my %Groups = map { my %Queue = $O->('Queue')->QueueGet( ID => $_ ); $Queue{GroupID} => 1 } keys %Queues;
    return map { $_ => $O->('Group')->GroupLookup( GroupID => $_ ) } keys %Groups;
}

sub agent_look {
    my $User = agent() or return;
    my %Groups = queue_groups();
    my %Has    = $O->('Group')->PermissionUserGroupGet( UserID => $User->{UserID}, Type => 'rw' );
    my @Changes = map {"group $Groups{$_}: nothing -> rw"} sort grep { !$Has{$_} } keys %Groups;
    push @Changes, 'switched off -> valid' if $User->{ValidID} != $Valid;
    return [@Changes];
}

sub agent_make {
    my $User = agent();
    $Config->Set( Key => 'CheckMXRecord', Value => 0 );
    my $Host = ( $Config->Get('FQDN') // 'localhost' ) =~ s/:\d+\z//r;
    my %Person = ( UserLogin => $Login, UserFirstname => 'Escalator', UserLastname => 'Plugin', UserEmail => "$Login\@$Host" );
    if ( !$User ) { must( "agent $Login", $O->('User')->UserAdd( %Person, ValidID => $Valid, @By ) ) }
    elsif ( $User->{ValidID} != $Valid ) {
        my %Same = map { $_ => $User->{$_} } qw(UserID UserLogin UserFirstname UserLastname UserEmail);
        must( "agent $Login", $O->('User')->UserUpdate( %Same, ValidID => $Valid, ChangeUserID => 1 ) );
    }
    my %Groups = queue_groups();
    for my $GroupID ( keys %Groups ) {
        must( "rights in $Groups{$GroupID}", $O->('Group')->PermissionGroupUserAdd(
            GID => $GroupID, UID => agent()->{UserID}, Permission => { map { $_ => 1 } @Rights }, UserID => 1 ) );
    }
}

sub agent_remove {
    my $User = agent() or return;
    return if $User->{ValidID} != $Valid;
    my %Same = map { $_ => $User->{$_} } qw(UserID UserLogin UserFirstname UserLastname UserEmail);
    return must( "agent $Login", $O->('User')->UserUpdate( %Same, ValidID => $Invalid, ChangeUserID => 1 ) );
}

# --- and the agent's password ---
sub password_look {
    return if !agent() || !$Wanted->{password};
    my $Known = $O->('Auth')->Auth( User => $Login, Pw => $Wanted->{password} );
    return $Known ? [] : ['Znuny does not accept the one in the config'];
}
sub password_make { must( 'the password', $O->('User')->SetPassword( UserLogin => $Login, PW => $Wanted->{password} || $Wanted->{new_password} ) ) }

# --- dynamic fields ---
my %Status = map { $_ => $_ } qw(running acknowledged snoozed exhausted);
my %Fields = (
    EscalationStatus       => [ 'Dropdown', { PossibleValues => \%Status, PossibleNone => 1, TranslatableValues => 0, DefaultValue => '' } ],
    EscalationPlan         => [ 'Text',     { DefaultValue => '', RegExList => [] } ],
    EscalationStep         => [ 'Text',     { DefaultValue => '', RegExList => [] } ],
    EscalationAcknowledged => [ 'Checkbox', { DefaultValue => 1 } ],
);
sub field { return $O->('DynamicField')->DynamicFieldGet( Name => $_[0] ) }

sub field_look {
    my $Name = shift;
    my $Has  = field($Name);
    return if !IsHashRefWithData($Has);
    my ( $Type, $Wants ) = @{ $Fields{$Name} };
    my @Changes;
    push @Changes, "type: $Has->{FieldType} -> $Type" if $Has->{FieldType} ne $Type;
    push @Changes, 'switched off -> valid' if $Has->{ValidID} != $Valid;
    push @Changes, map {"$_"} grep { !same( $Has->{Config}{$_}, $Wants->{$_} ) } sort keys %{$Wants};
    return [@Changes];
}

sub field_make {
    my $Name = shift;
    my $Has  = field($Name);
    my ( $Type, $Wants ) = @{ $Fields{$Name} };
    my $Label = $Name =~ s/^Escalation(.*)/Escalation \l$1/r;
    my %Field = ( Name => $Name, Label => $Label, FieldType => $Type, ObjectType => 'Ticket', Config => $Wants, ValidID => $Valid, UserID => 1 );
    my $List  = $O->('DynamicField')->DynamicFieldList( Valid => 0 );
    must( "field $Name", IsHashRefWithData($Has)
        ? $O->('DynamicField')->DynamicFieldUpdate( %{$Has}, %Field, ID => $Has->{ID}, FieldOrder => $Has->{FieldOrder}, Reorder => 0 )
        : $O->('DynamicField')->DynamicFieldAdd( %Field, FieldOrder => 1 + @{$List} ) );
}

sub field_remove {    # what stands in tickets stays there, unseen
    my $Has = field(shift);
    return if !IsHashRefWithData($Has) || $Has->{ValidID} != $Valid;
    return must( "field $Has->{Name}", $O->('DynamicField')->DynamicFieldUpdate( %{$Has}, ValidID => $Invalid, UserID => 1, Reorder => 0 ) );
}

# --- the web service ---
my $Service = $Wanted->{webservice};
sub service { my $Has = $O->('GenericInterface::Webservice')->WebserviceGet( Name => $Service ); return IsHashRefWithData($Has) ? $Has : undef }

sub service_config {
    my $Wants     = must( 'webservice.yml', $O->('YAML')->Load( Data => $Wanted->{webservice_yml} ) );
    my $Transport = $Wants->{Requester}{Transport}{Config};
    $Transport->{Host}              = $Wanted->{host};
    $Transport->{AdditionalHeaders} = { $Wanted->{header} => $Wanted->{secret} };
    $_->{Controller} = $Wanted->{path} for values %{ $Transport->{InvokerControllerMapping} };
    return $Wants;
}

sub differing {    # the paths at which two configs differ, without their values: there are secrets among them
    my ( $Has, $Wants, $Path ) = @_;
    return () if same( $Has, $Wants );
    return ( $Path || 'all' ) if ref $Has ne 'HASH' || ref $Wants ne 'HASH';
    my %Keys = ( %{$Has}, %{$Wants} );
    return map { differing( $Has->{$_}, $Wants->{$_}, $Path ? "$Path.$_" : $_ ) } sort keys %Keys;
}

sub service_look {
    my $Has = service() or return;
    my @Changes = differing( $Has->{Config}, service_config(), '' );
    push @Changes, 'switched off -> valid' if $Has->{ValidID} != $Valid;
    return [@Changes];
}

sub service_make {
    my $Has = service();
    my @Is  = ( Name => $Service, Config => service_config(), ValidID => $Valid, UserID => 1 );
    must( 'the web service', $Has
        ? $O->('GenericInterface::Webservice')->WebserviceUpdate( ID => $Has->{ID}, @Is )
        : $O->('GenericInterface::Webservice')->WebserviceAdd(@Is) );
}

sub service_remove {
    my $Has = service() or return;
    return must( 'the web service', $O->('GenericInterface::Webservice')->WebserviceDelete( ID => $Has->{ID}, UserID => 1 ) );
}

# --- menu entry, dashboard list, fields in the pages ---
my $Pages = $Config->Get('Home') . '/Kernel/Config/Files/ZZZEscalator.pm';

sub pages_look {
    return if !-e $Pages;
    my $Has = $O->('Main')->FileRead( Location => $Pages, Mode => 'utf8' );
    return ${$Has} eq $Wanted->{pages} ? [] : ['another version'];
}
sub pages_make { my $Text = $Wanted->{pages}; must( $Pages, $O->('Main')->FileWrite( Location => $Pages, Content => \$Text, Mode => 'utf8', Permission => '660' ) ) }
sub pages_remove { return -e $Pages ? must( $Pages, unlink $Pages ) : undef }

# --- all of them, in the order in which they are made ---
my @Pieces = (
    [ qq{agent "$Login"},         \&agent_look,    \&agent_make,    \&agent_remove, 'purge' ],
    [ qq{password of "$Login"},   \&password_look, \&password_make, sub { } ],
    ( map { my $Name = $_; [ qq{field "$Name"}, sub { field_look($Name) }, sub { field_make($Name) }, sub { field_remove($Name) } ] } sort keys %Fields ),
    [ qq{web service "$Service"}, \&service_look,  \&service_make,  \&service_remove ],
    [ 'menu entry, dashboard list and fields in the pages', \&pages_look, \&pages_make, \&pages_remove ],
);

sub looked {
    my ($Piece) = @_;
    my $Changes = $Piece->[1]->();
    my $Standing = !$Changes ? 'missing' : @{$Changes} ? 'different' : 'right';
    return { name => $Piece->[0], standing => $Standing, changes => $Changes || [], purge => $Piece->[4] ? 1 : 0 };
}

my ( $Mode, $Name ) = @ARGV;
my @Chosen = grep { !defined $Name || $_->[0] eq $Name } @Pieces;
my %Answer;
if    ( $Mode eq 'look' )   { $Answer{pieces} = [ map { looked($_) } @Chosen ] }
elsif ( $Mode eq 'make' )   { for my $Piece (@Chosen) { $Piece->[2]->() if looked($Piece)->{standing} ne 'right' } }
elsif ( $Mode eq 'remove' ) { $Answer{removed} = [ map { $_->[0] } grep { $_->[3]->() } reverse @Chosen ] }
else                        { die "look, make or remove?\n" }
$O->('Cache')->CleanUp() if $Mode ne 'look';
print $O->('JSON')->Encode( Data => \%Answer ), "\n";
